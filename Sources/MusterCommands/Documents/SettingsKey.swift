import Settings

/// One key of a job file, as its JSON Schema describes it.
struct SettingsKey {
    /// From the section on, such as `ssh.port`.
    var path: String
    /// What stands under it, whichever form it takes; without the null that an optional key has.
    var forms: [PlainValue]
    var help: String
    var standard: PlainValue?
    var isRequired: Bool
    /// Whether it may be null, which means that it is not set.
    var isNullable: Bool

    var name: String { String(path.split(atASCII: ".").last ?? "") }

    /// The keys of a mapping.
    ///
    /// - Parameter parent: the path of the mapping, with a dot at its end; empty for a section itself.
    static func all(in schema: PlainValue, below parent: String = "") -> [SettingsKey] {
        let required = schema["required"]?.elements ?? []
        return (schema["properties"]?.members ?? []).filter { $0.value["const"] == nil }.map { member in
            SettingsKey(
                path: parent + member.key, forms: member.value.forms, help: member.value["description"]?.word ?? "",
                standard: member.value["default"].flatMap { $0 == .null ? nil : $0 },
                isRequired: required.contains(.text(member.key)), isNullable: member.value["default"] == .null)
        }
    }

    /// The form that is a mapping with known keys, if there is one.
    var mapping: PlainValue? { forms.first { $0["properties"] != nil } }

    /// The keys below this one.
    var inner: [SettingsKey] { mapping.map { SettingsKey.all(in: $0, below: "\(path).") } ?? [] }

    /// Whether exactly one of the keys below it may be there.
    var isChoiceOfKeys: Bool { mapping?["maxProperties"] == .integer(1) }

    /// What may stand there: the example, or else the first of its words.
    var example: PlainValue? { forms.lazy.compactMap { $0["examples"]?.elements.first }.first }

    var type: String {
        forms.map(\.typeName).reduce(into: []) { if !$0.contains($1) { $0.append($1) } }.joined(separator: ", or ")
    }
}

extension PlainValue {
    var elements: [PlainValue] {
        guard case .list(let elements) = self else { return [] }
        return elements
    }

    var word: String? {
        guard case .text(let text) = self else { return nil }
        return text
    }

    /// The alternatives of a schema, those within them included, without null.
    fileprivate var forms: [PlainValue] {
        let alternatives = (self["anyOf"] ?? self["oneOf"])?.elements ?? []
        guard !alternatives.isEmpty else { return self["type"] == .text("null") ? [] : [self] }
        return alternatives.flatMap(\.forms)
    }

    fileprivate var typeName: String {
        if let only = self["const"]?.word { return "`\(only)`" }
        if let words = self["enum"] {
            return words.elements.compactMap(\.word).map { "`\($0)`" }.joined(separator: ", ")
        }
        switch self["type"] {
        case .text("boolean"): return "`true` or `false`"
        case .text("integer"): return "a whole number, \(limit("minimum")) to \(limit("maximum"))"
        case .text("array"): return "a list"
        case .text("object"): return "a mapping"
        case .list: return "a duration"
        default: return self["pattern"] == .text("^/") ? "an absolute path" : "text"
        }
    }

    private func limit(_ name: String) -> String { self[name]?.inline ?? "" }
}
