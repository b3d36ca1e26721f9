import Settings

/// A pattern for names: `*` stands for any characters, `?` for one, everything else for itself.
struct Glob: Sendable {
    let pattern: String
    private let tokens: [Token]

    private enum Token: WildToken {
        case any, anyOne
        // A scalar, not a character: two names that Unicode calls equivalent are two databases.
        case literal(Unicode.Scalar)

        init(_ scalar: Unicode.Scalar) {
            switch scalar {
            case "*": self = .any
            case "?": self = .anyOne
            default: self = .literal(scalar)
            }
        }

        var isWild: Bool { if case .any = self { true } else { false } }

        func matches(_ scalar: Unicode.Scalar) -> Bool {
            switch self {
            case .any: false
            case .anyOne: true
            case .literal(let literal): literal == scalar
            }
        }

        var isLiteral: Bool { if case .literal = self { true } else { false } }
    }

    init(_ pattern: String) {
        self.pattern = pattern
        tokens = pattern.unicodeScalars.map(Token.init)
    }

    /// Whether it can only match one name: itself.
    var isPlainName: Bool { tokens.allSatisfy(\.isLiteral) }

    func matches(_ name: String) -> Bool { matchesWildly(tokens, Array(name.unicodeScalars)) }
}
