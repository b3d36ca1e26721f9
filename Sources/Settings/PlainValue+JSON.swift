import DumpCore

extension PlainValue {
    /// As a JSON document, indented by two spaces, with a final newline.
    public var json: String { json(indent: "") + "\n" }

    private func json(indent: String) -> String {
        switch self {
        case .null: "null"
        case .boolean(let flag): flag ? "true" : "false"
        case .integer(let number): String(number)
        case .text(let text): doubleQuoted(text)
        case .list(let elements):
            block("[", elements.map { $0.json(indent: indent + "  ") }, "]", indent: indent)
        case .mapping(let members):
            block(
                "{", members.map { "\(doubleQuoted($0.key)): \($0.value.json(indent: indent + "  "))" }, "}",
                indent: indent)
        }
    }

    private func block(_ open: String, _ lines: [String], _ close: String, indent: String) -> String {
        guard !lines.isEmpty else { return open + close }
        return open + "\n" + lines.map { "\(indent)  \($0)" }.joined(separator: ",\n") + "\n\(indent)" + close
    }
}

/// In double quotes, with escapes that JSON and YAML have in common.
public func doubleQuoted(_ text: String) -> String {
    "\""
        + text.unicodeScalars.map { scalar in
            switch scalar {
            case "\"": "\\\""
            case "\\": "\\\\"
            case "\n": "\\n"
            case "\t": "\\t"
            case _ where scalar.isControl: "\\u" + scalar.value.digits(4, radix: 16)
            default: String(scalar)
            }
        }.joined() + "\""
}
