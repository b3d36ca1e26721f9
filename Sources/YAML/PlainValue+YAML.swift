import Settings

extension PlainValue {
    /// As a YAML document, mappings indented by two spaces, lists of scalars in brackets, with a final newline.
    public var yaml: String {
        guard case .mapping(let members) = self, !members.isEmpty else { return inline + "\n" }
        return block(members, indent: "")
    }

    private func block(_ members: [Member], indent: String) -> String {
        members.map { member in
            let key = indent + Self.yamlText(member.key) + ":"
            guard case .mapping(let inner) = member.value, !inner.isEmpty else {
                return "\(key) \(member.value.inline)\n"
            }
            return "\(key)\n" + block(inner, indent: indent + "  ")
        }.joined()
    }

    /// On one line, as it may stand after a key.
    public var inline: String {
        switch self {
        case .null: "null"
        case .boolean(let flag): flag ? "true" : "false"
        case .integer(let number): String(number)
        case .text(let text): Self.yamlText(text)
        case .list(let elements): "[" + elements.map(\.inline).joined(separator: ", ") + "]"
        case .mapping(let members):
            "{" + members.map { "\(Self.yamlText($0.key)): \($0.value.inline)" }.joined(separator: ", ") + "}"
        }
    }

    /// Without quotes only if every reader of YAML, of version 1.1 or 1.2, takes it as this text.
    private static func yamlText(_ text: String) -> String {
        text.isPlainYAML ? text : doubleQuoted(text)
    }
}

extension String {
    fileprivate var isPlainYAML: Bool {
        if let duration = Duration(settingsText: self) { return duration.settingsText == self }
        let words = ["null", "true", "false", "yes", "no", "on", "off", "y", "n"]
        guard let first = unicodeScalars.first, first == "/" || first.isASCIILetter,
            !words.contains(lowercased())
        else { return false }
        // A blank or a colon could begin a comment or a value; they get quotes.
        return unicodeScalars.allSatisfy {
            $0.isASCIILetter || ("0"..."9").contains($0) || "/_.=@+-".unicodeScalars.contains($0)
        }
    }
}

extension Unicode.Scalar {
    fileprivate var isASCIILetter: Bool { ("a"..."z").contains(self) || ("A"..."Z").contains(self) }
}
