/// An error that an operator reads: what happened to what, and what to do about it.
///
/// `message` is lower case without a full stop and names the thing. `hint` is a sentence that says what to do. `context` holds facts in the
/// order they are shown. None of them ever holds a secret.
public protocol OperatorError: Error, CustomStringConvertible {
    /// A stable word for scripts, such as `program_failed`.
    var codeName: String { get }
    var message: String { get }
    var hint: String? { get }
    var context: ErrorContext { get }
    /// Whether the same work may well succeed later: a server that was restarted, a transient conflict.
    var isTransient: Bool { get }
}

extension OperatorError {
    public var isTransient: Bool { false }
}

/// Named facts in the order they are shown, of an error or of a dump's source. Written as a dictionary literal.
public struct ErrorContext: Sendable, Hashable, ExpressibleByDictionaryLiteral, Sequence {
    public private(set) var facts: [Fact]

    public struct Fact: Sendable, Hashable {
        public var name: String
        public var value: String
    }

    public init() { facts = [] }

    public init(dictionaryLiteral elements: (String, String)...) {
        facts = elements.map { Fact(name: $0, value: $1) }
    }

    /// The value of the first fact of that name. Setting replaces it, or adds the fact at the end; nil removes it.
    public subscript(name: String) -> String? {
        get { facts.first { $0.name == name }?.value }
        set {
            let place = facts.firstIndex { $0.name == name }
            switch (place, newValue) {
            case (let place?, let value?): facts[place].value = value
            case (let place?, nil): facts.remove(at: place)
            case (nil, let value?): facts.append(Fact(name: name, value: value))
            case (nil, nil): break
            }
        }
    }

    public func makeIterator() -> IndexingIterator<[Fact]> { facts.makeIterator() }
}

/// For scripts: an object with a member for each fact.
extension ErrorContext: Encodable {
    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(Dictionary(facts.map { ($0.name, $0.value) }) { first, _ in first })
    }
}

extension OperatorError {
    /// The whole error on a few lines: message, one indented line per fact, then the hint.
    public var description: String {
        let facts = context.flatMap { fact in
            // Facts of several lines, such as the last lines of a program, stand indented below their name.
            let lines = fact.value.split(atASCII: "\n")
            return lines.count > 1 ? ["  \(fact.name):"] + lines.map { "    \($0)" } : ["  \(fact.name): \(fact.value)"]
        }
        return ([message] + facts + (hint.map { ["  hint: \($0)"] } ?? [])).asLines
    }
}
