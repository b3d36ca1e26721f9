import TestSupport

/// As much of JSON Schema as job files need: types, keys, alternatives, constants and enumerations. Patterns are left to the
/// shapes, which match with the same text.
struct Schema {
    let root: JSONTree

    init(_ text: String) throws { root = try JSONTree(text) }

    /// One line for each value that the schema does not accept, inner ones first.
    func mismatches(of value: JSONTree, with schema: JSONTree, at path: String = "") -> [String] {
        if case .list(let choices)? = schema["anyOf"] ?? schema["oneOf"] {
            let outcomes = choices.map { mismatches(of: value, with: $0, at: path) }
            return outcomes.min { $0.count < $1.count } ?? ["\(path): no choice"]
        }
        if let only = schema["const"] { return value == only ? [] : ["\(path): not the constant"] }
        switch value {
        case .null: return accepts("null", schema) ? [] : ["\(path): null"]
        case .boolean: return accepts("boolean", schema) ? [] : ["\(path): a boolean"]
        case .number: return accepts("integer", schema) ? [] : ["\(path): a number"]
        case .text(let text):
            guard accepts("string", schema) else { return ["\(path): text"] }
            guard case .list(let words)? = schema["enum"] else { return [] }
            return words.contains(value) ? [] : ["\(path): not \(text)"]
        case .list(let elements):
            guard accepts("array", schema), let items = schema["items"] else { return ["\(path): a list"] }
            return elements.flatMap { mismatches(of: $0, with: items, at: path + "[]") }
        case .mapping(let members):
            guard accepts("object", schema) else { return ["\(path): a mapping"] }
            return mismatches(of: members, with: schema, at: path)
        }
    }

    private func mismatches(of members: [String: JSONTree], with schema: JSONTree, at path: String) -> [String] {
        var found: [String] = []
        var unknown: [String] = []
        for (key, value) in members.sorted(by: { $0.key < $1.key }) {
            let inner = path.isEmpty ? key : "\(path).\(key)"
            switch (schema["properties"]?[key], schema["additionalProperties"]) {
            case (let known?, _): found += mismatches(of: value, with: known, at: inner)
            case (nil, .mapping(let any)?): found += mismatches(of: value, with: .mapping(any), at: inner)
            default: unknown.append("\(path): \(key)")
            }
        }
        return found + unknown
    }

    private func accepts(_ type: String, _ schema: JSONTree) -> Bool {
        switch schema["type"] {
        case .text(let only): only == type
        case .list(let several): several.contains(.text(type))
        default: false
        }
    }
}
