/// All that has to be known to undo one kind of side effect.
///
/// On disk it is text under names of its own. A record must stay readable as long as any Muster may have written it, so a name that was
/// written once keeps its meaning. No secrets.
public protocol UndoFacts: Sendable {
    /// What to undo, as records call it, such as `replay_paused`.
    var kind: String { get }

    /// As the record has it.
    var recorded: [String: String] { get }

    /// What a record says, by `UndoRecord.fact`. Throws for one that lacks what is needed.
    init(of record: UndoRecord) throws(DumpError)
}

/// The facts of a record as they are on disk. Only the type of their kind knows what they mean.
public struct RecordedFacts: Sendable, Hashable {
    /// For an operator who has to undo it by hand, in the order of their names.
    public var shown: [(name: String, value: String)] {
        texts.sorted { $0.key < $1.key }.map { (name: $0.key, value: $0.value) }
    }

    fileprivate var texts: [String: String]

    init(_ facts: any UndoFacts) { texts = facts.recorded }

    subscript(name: String) -> String? {
        get { texts[name] }
        set { texts[name] = newValue }
    }
}

extension RecordedFacts: Codable {
    public init(from decoder: any Decoder) throws {
        texts = try decoder.singleValueContainer().decode([String: String].self)
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(texts)
    }
}

extension UndoRecord {
    /// A fact that the record must have.
    public func fact(_ name: String) throws(DumpError) -> String {
        guard let value = facts[name] else {
            throw DumpError(
                .settings, "the undo record of \(kind) of dump '\(dump)' does not say its \(name)",
                hint: "Another Muster may have written it: use that one to undo it.")
        }
        return value
    }

    /// A fact that records of an older Muster may lack.
    public func fact(ifAny name: String) -> String? { facts[name] }

    /// All facts whose names begin so.
    public func facts(named prefix: String) -> [String: String] { facts.texts.filter { $0.key.hasPrefix(prefix) } }
}
