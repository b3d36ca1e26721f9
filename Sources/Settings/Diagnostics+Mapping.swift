extension Diagnostics {
    /// Reports that something else is where a mapping should be, with the form that works.
    ///
    /// - Parameter example: such as `{daily: 7}`; nil where the keys alone must do.
    mutating func report(mappingExpectedAt node: SettingsNode, known: [String], example: String? = nil) {
        report(expected: "a mapping", at: node, hint: Self.form(of: node, known: known, example: example))
    }

    private static func form(of node: SettingsNode, known: [String], example: String?) -> String? {
        if case .list = node.content { return "Leave out the '-' or the brackets: write each name or key on its own." }
        if case .scalar(let text, isQuoted: false) = node.content, let pair = keyWithoutBlank(text, known) {
            return pair
        }
        let keys = known.count < 2 ? nil : "Known here: \(known.joined(separator: ", "))."
        let form = example.map { "Write \(node.path.lastKey.map { "\($0): " } ?? "")\($0)." }
        let parts = [form, keys].compactMap { $0 }
        return parts.isEmpty ? nil : parts.joined(separator: " ")
    }

    /// `provider:postgresql` is one word to YAML.
    private static func keyWithoutBlank(_ text: String, _ known: [String]) -> String? {
        guard let colon = text.firstIndex(of: ":"), known.contains(String(text[..<colon])) else { return nil }
        return
            "Write a space after the colon: \(text[...colon]) \(excerpt(String(text[text.index(after: colon)...])).unquoted)"
    }
}

extension String {
    fileprivate var unquoted: String { hasPrefix("'") && hasSuffix("'") ? String(dropFirst().dropLast()) : self }
}

extension SettingsPath {
    /// The last step, if it is a key.
    var lastKey: String? {
        guard case .key(let key)? = steps.last else { return nil }
        return key
    }
}

extension PlainValue {
    /// The keys that a mapping of this schema may have, whichever of several forms it takes.
    var schemaKeys: Set<String> {
        let forms = ["oneOf", "anyOf"].flatMap { name -> [PlainValue] in
            guard case .list(let forms)? = self[name] else { return [] }
            return forms
        }
        guard case .mapping(let members)? = self["properties"] else {
            return forms.reduce(into: []) { $0.formUnion($1.schemaKeys) }
        }
        return Set(members.map(\.key))
    }

    /// Whether a mapping of this schema has names as keys.
    var hasNamesAsKeys: Bool {
        if case .mapping? = self["additionalProperties"] { return true }
        guard case .list(let forms)? = self["anyOf"] else { return false }
        return forms.contains(where: \.hasNamesAsKeys)
    }
}

extension SettingsNode {
    /// The entry before `entry` that has nothing behind its colon: what comes next was to be below it.
    func emptyEntry(before entry: Entry) -> Entry? {
        guard case .mapping(let entries) = content,
            let place = entries.firstIndex(where: { $0.keyMark == entry.keyMark })
        else { return nil }
        return entries[..<place].last { $0.value.isNull }
    }
}

extension Diagnostics {
    /// Reports a key that is beside the one that it belongs below.
    mutating func report(_ entry: SettingsNode.Entry, indentedLike parent: SettingsNode.Entry) {
        report(
            Diagnostic(
                entry.keyMark, parent.value.path,
                "\(quoted(entry.key)) is indented like '\(parent.key)', which it belongs to",
                hint: "Indent what belongs to '\(parent.key)' deeper than '\(parent.key)' itself."))
    }
}
