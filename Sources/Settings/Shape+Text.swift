extension Shape<String> {
    /// Text of one line or several, which may be empty.
    public static var text: Shape {
        Shape.scalar("text", schema: ["type": "string"]) { text, _ in
            text
        } write: {
            .text($0)
        }.checked { text in
            text.unicodeScalars.contains { $0.isControl && $0 != "\n" && $0 != "\t" }
                ? Fault("must not have control characters") : nil
        }
    }

    /// One line of text, which may be empty. A plain number or word is text too.
    public static var line: Shape {
        Shape.scalar("text", schema: ["type": "string"]) { text, _ in
            text
        } write: {
            .text($0)
        }.checked { text in
            text.unicodeScalars.contains(where: \.isControl)
                ? Fault("must be one line without control characters") : nil
        }
    }

    /// One line of text that is not empty.
    public static var name: Shape {
        line.checked(["minLength": 1]) { $0.isEmpty ? Fault("must not be empty") : nil }
    }

    /// A user of the system, who may not be there.
    public static var userName: Shape { matching("[A-Za-z_][A-Za-z0-9_.@-]*[$]?", "the name of a user") }

    /// One line of text that matches all of a regular expression, which both Swift and JSON Schema (ECMA 262) understand.
    ///
    /// - Parameter expected: what it is, for people: `a user name`.
    public static func matching(_ pattern: String, _ expected: String, hint: String? = nil) -> Shape {
        line.checked(["pattern": .text("^(\(pattern))$")]) { text in
            text.matches(all: pattern) ? nil : Fault("expected \(expected), found \(excerpt(text))", hint: hint)
        }
    }
}

extension String {
    /// Whether the whole of this matches a regular expression. Letters are compared as code points: no accents, no look-alikes.
    func matches(all pattern: String) -> Bool {
        // The patterns are constants in our own code, which the tests use.
        let expression = try! Regex(pattern).matchingSemantics(.unicodeScalar)
        return wholeMatch(of: expression) != nil
    }
}

extension Shape<Bool> {
    /// `true` or `false`, and not the other words that YAML 1.1 once had for them.
    public static var boolean: Shape {
        Shape(schema: ["type": "boolean"]) { node, diagnostics in
            guard case .scalar(let text, isQuoted: false) = node.content else {
                diagnostics.report(expected: "true or false", at: node)
                return nil
            }
            switch text {
            case "true": return true
            case "false": return false
            default:
                diagnostics.report(expected: "true or false", at: node, hint: hint(insteadOf: text))
                return nil
            }
        } writer: {
            .boolean($0)
        }
    }

    private static func hint(insteadOf word: String) -> String? {
        switch word.lowercased() {
        case "yes", "y", "on", "true": "Write true."
        case "no", "n", "off", "false": "Write false."
        default: nil
        }
    }
}

extension Shape where Value: CaseIterable & RawRepresentable<String> {
    /// One of the words that the type has.
    public static var choice: Shape {
        let words = Value.allCases.map(\.rawValue)
        return Shape(schema: ["type": "string", "enum": .list(words.map { .text($0) })]) { node, diagnostics in
            guard case .scalar(let text, _) = node.content, !node.isNull else {
                diagnostics.report(expected: listed(words, "or"), at: node)
                return nil
            }
            if let value = Value(rawValue: text) { return value }
            let near = nearestWord(to: text, among: words).map { "Did you mean '\($0)'?" }
            diagnostics.report(expected: listed(words, "or"), at: node, hint: near)
            return nil
        } writer: {
            .text($0.rawValue)
        }
    }
}
