import Settings

extension PlainValue {
    /// What stands at a node, by the rules of JSON: text in quotes, numbers and words without. Nil after a mistake was reported there.
    init?(of node: SettingsNode) {
        switch node.content {
        case .refused: return nil
        case .list(let nodes):
            let elements = nodes.map { PlainValue(of: $0) }
            guard !elements.contains(nil) else { return nil }
            self = .list(elements.compactMap { $0 })
        case .mapping(let entries):
            let members = entries.map { entry in PlainValue(of: entry.value).map { Member(entry.key, $0) } }
            guard !members.contains(nil) else { return nil }
            self = .mapping(members.compactMap { $0 })
        case .scalar(let text, isQuoted: true): self = .text(text)
        case .scalar where node.isNull: self = .null
        case .scalar("true", _): self = .boolean(true)
        case .scalar("false", _): self = .boolean(false)
        case .scalar(let text, _): self = Int64(text).map { .integer($0) } ?? .text(text)
        }
    }
}

extension SettingsNode {
    /// A node with a value that stands in no file.
    init(of value: PlainValue) {
        let content: Content =
            switch value {
            case .null: .scalar("null", isQuoted: false)
            case .boolean(let flag): .scalar(flag ? "true" : "false", isQuoted: false)
            case .integer(let number): .scalar(String(number), isQuoted: false)
            case .text(let text): .scalar(text, isQuoted: true)
            case .list(let elements): .list(elements.map { SettingsNode(of: $0) })
            case .mapping(let members):
                .mapping(
                    members.map {
                        Entry(key: $0.key, keyMark: Mark(line: 1, column: 1), value: SettingsNode(of: $0.value))
                    })
            }
        self.init(content, mark: Mark(line: 1, column: 1), path: .root)
    }
}
