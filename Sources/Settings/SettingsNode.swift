/// One value of a settings file, with the place where it stands. What it means is for a `Shape` to say.
public struct SettingsNode: Sendable {
    public enum Content: Sendable {
        /// Text, and whether it was in quotes: `5` may be a number, `"5"` may not.
        case scalar(String, isQuoted: Bool)
        case list([SettingsNode])
        /// In the order of the file, each key once.
        case mapping([Entry])
        /// Something that was reported already and that nothing more is to be said about.
        case refused
    }

    public struct Entry: Sendable {
        public var key: String
        public var keyMark: Mark
        public var value: SettingsNode

        public init(key: String, keyMark: Mark, value: SettingsNode) {
            self.key = key
            self.keyMark = keyMark
            self.value = value
        }
    }

    public var content: Content
    /// Where a person would look for it: an indented mapping or list is where its key is.
    public var mark: Mark
    public var path: SettingsPath

    public init(_ content: Content, mark: Mark, path: SettingsPath) {
        self.content = content
        self.mark = mark
        self.path = path
    }

    /// The value of a key, or nil if this has no such key.
    public subscript(key: String) -> SettingsNode? {
        guard case .mapping(let entries) = content else { return nil }
        return entries.first { $0.key == key }?.value
    }

    /// Whether nothing is written here, or one of the words for nothing.
    public var isNull: Bool {
        guard case .scalar(let text, isQuoted: false) = content else { return false }
        return ["", "~", "null", "Null", "NULL"].contains(text)
    }

    /// The texts of a list, or a text alone, as a list would hold them; nil for anything else, and for what may be secret.
    var asList: String? {
        let nodes: [SettingsNode]
        switch content {
        case .list(let list): nodes = list
        case .scalar where !isNull: nodes = [self]
        default: return nil
        }
        let texts = nodes.compactMap { node in
            if case .scalar(let text, let isQuoted) = node.content, excerpt(text) == quoted(text) {
                isQuoted ? "\"\(text)\"" : text
            } else {
                nil
            }
        }
        return texts.count == nodes.count && !texts.isEmpty ? texts.joined(separator: ", ") : nil
    }

    var isMapping: Bool {
        if case .mapping = content { true } else { false }
    }

    /// What is here, for a message that says what was expected instead.
    var found: String {
        switch content {
        case _ where isNull: "nothing"
        case .scalar(let text, let isQuoted): (isQuoted ? "the text " : "") + excerpt(text)
        case .list: "a list"
        case .mapping: "a mapping"
        case .refused: "nothing of use"
        }
    }
}
