/// The settings of one kind of provider: what may stand under a dump's name in a job file.
public protocol ProviderSettings: Sendable, Equatable {
    /// The kind as `provider:` names it, such as `postgresql`.
    static var kind: String { get }
    /// What a dump of this kind is, in a sentence, for the schema and the help.
    static var summary: String { get }
    /// The keys beside `provider`.
    static var shape: ObjectShape<Self> { get }
    /// The user whose programs fill the dump, if not our own.
    var programUser: String? { get }
}

extension ProviderSettings {
    public var programUser: String? { nil }
}

extension Shape where Value == any ProviderSettings {
    /// A mapping whose key `provider` names one of `kinds`, and whose other keys are those of that kind.
    public static func provider(among kinds: [any ProviderSettings.Type]) -> Shape {
        Shape(schema: ["oneOf": .list(kinds.map { $0.schema })]) { node, diagnostics in
            kind(of: node, among: kinds, &diagnostics)?.read(node, &diagnostics)
        } writer: {
            $0.written
        }
    }

    private static func kind(
        of node: SettingsNode, among kinds: [any ProviderSettings.Type], _ diagnostics: inout Diagnostics
    ) -> (any ProviderSettings.Type)? {
        guard case .mapping(let entries) = node.content else {
            diagnostics.report(
                mappingExpectedAt: node, known: [providerKey], example: "{\(providerKey): \(kinds.first?.kind ?? "")}")
            return nil
        }
        let names = kinds.map { $0.kind }
        guard let provider = node[providerKey] else {
            if let entry = entries.first(where: { nearestWord(to: $0.key, among: [providerKey]) != nil }) {
                diagnostics.report(unknownKey: entry, in: node, near: providerKey, known: [])
            } else {
                diagnostics.report(
                    Diagnostic(
                        node.mark, node.path, "missing key '\(providerKey)' \(node.path.place)",
                        hint: "It says what to dump: \(listed(names, "or"))."))
            }
            return nil
        }
        guard let name = Shape<String>.name.read(provider, &diagnostics) else { return nil }
        if let kind = kinds.first(where: { $0.kind == name }) { return kind }
        let hint =
            nearestWord(to: name, among: names).map { "Did you mean '\($0)'?" }
            ?? "Known: \(listed(names, "and"))."
        diagnostics.report(Fault("unknown provider \(excerpt(name))", hint: hint), at: provider)
        return nil
    }
}

private let providerKey = "provider"

extension ProviderSettings {
    /// Whether these are settings of the same kind that say the same.
    public func isEqual(to other: any ProviderSettings) -> Bool { other as? Self == self }

    fileprivate static func read(_ node: SettingsNode, _ diagnostics: inout Diagnostics) -> (any ProviderSettings)? {
        shape.read(node, besides: [providerKey], &diagnostics)
    }

    fileprivate var written: PlainValue {
        .mapping([PlainValue.Member(providerKey, .text(Self.kind))] + Self.shape.write(self).members)
    }

    fileprivate static var schema: PlainValue {
        PlainValue.mapping([PlainValue.Member("description", .text(summary))])
            .merging(shape.schema(with: [(providerKey, kind)]))
    }
}
