import Settings

/// Makes a tree of settings from one YAML or JSON document.
///
/// Takes from YAML only what a settings file needs: mappings with text as keys, lists, and scalars. Anchors, aliases, merge keys, tags, a
/// key that is there twice and a second document are mistakes.
public struct YAMLComposer {
    /// Job files go to a depth of 5.
    private static let deepest = 32
    /// Far more than any job has. What each of them costs, a mistake above all, adds up.
    private static let most = (values: 20_000, mistakes: 100)

    private let events: YAMLEvents
    private let words: Words
    private var diagnostics = Diagnostics()
    private var values = 0

    /// What a file is of which this makes a tree, for the messages.
    public struct Words: Sendable {
        /// Such as `job file`.
        var file: String
        /// What to do about one that is empty, and about one that has a second document.
        var ifEmpty: String
        var ifSecond: String
        /// What people write it in.
        var language: String

        public init(file: String, ifEmpty: String, ifSecond: String, language: String = "YAML") {
            (self.file, self.ifEmpty, self.ifSecond) = (file, ifEmpty, ifSecond)
            self.language = language
        }
    }

    /// The tree of a file, or nil after the reason was reported.
    public static func compose(_ bytes: [UInt8], as words: Words, _ diagnostics: inout Diagnostics) -> SettingsNode? {
        SourceText(bytes, &diagnostics).flatMap { compose($0, as: words, &diagnostics) }
    }

    private static func compose(
        _ text: SourceText, as words: Words, _ diagnostics: inout Diagnostics
    ) -> SettingsNode? {
        var composer = YAMLComposer(YAMLEvents(text.text), words)
        defer { for mistake in composer.diagnostics.all { diagnostics.report(mistake) } }
        do {
            return try composer.document()
        } catch {
            var problem = error
            if words.language != "YAML" {
                problem.message.replace("not valid YAML", with: "not valid \(words.language)")
            }
            composer.diagnostics.report(text.explain(problem))
            return nil
        }
    }

    private init(_ events: YAMLEvents, _ words: Words) { (self.events, self.words) = (events, words) }

    private mutating func document() throws(YAMLProblem) -> SettingsNode? {
        _ = try events.next()
        guard case .documentStart = try events.next().kind else {
            report(
                "the file is empty", Mark(line: 1, column: 1), .root, hint: words.ifEmpty)
            return nil
        }
        let root = try node(try events.next(), .root, key: nil, depth: 0)
        _ = try events.next()
        let end = try events.next()
        guard case .streamEnd = end.kind else {
            report("a second document begins here", end.mark, .root, hint: words.ifSecond)
            return nil
        }
        return root
    }

    /// The node that begins with `event`. `key` is where its key stands, if it has one.
    private mutating func node(
        _ event: YAMLEvent, _ path: SettingsPath, key: Mark?, depth: Int
    ) throws(YAMLProblem) -> SettingsNode {
        guard depth < Self.deepest else {
            throw YAMLProblem(message: "nested more than \(Self.deepest) deep", mark: event.mark)
        }
        values += 1
        guard values <= Self.most.values else {
            throw YAMLProblem(
                message: "more than \(Self.most.values) values; this is not a \(words.file)", mark: event.mark)
        }
        guard diagnostics.all.count < Self.most.mistakes else {
            throw YAMLProblem(message: "too many mistakes: the rest was not read", mark: event.mark)
        }
        let isAllowed = checkPlainness(of: event, path)
        var mark = event.mark
        var content: SettingsNode.Content
        switch event.kind {
        case .sequenceStart:
            if !event.isFlow, let key { mark = key }
            content = .list(try elements(path, depth))
        case .mappingStart:
            if !event.isFlow, let key { mark = key }
            content = try mapping(path, depth)
        case .scalar(let text, let isQuoted):
            content = .scalar(text, isQuoted: isQuoted)
        default:
            content = .refused
        }
        if !isAllowed { content = .refused }
        return SettingsNode(content, mark: mark, path: path)
    }

    private mutating func elements(_ path: SettingsPath, _ depth: Int) throws(YAMLProblem) -> [SettingsNode] {
        var elements: [SettingsNode] = []
        while true {
            let event = try events.next()
            if case .sequenceEnd = event.kind { return elements }
            elements.append(try node(event, path.appending(index: elements.count), key: nil, depth: depth + 1))
        }
    }

    private mutating func mapping(_ path: SettingsPath, _ depth: Int) throws(YAMLProblem) -> SettingsNode.Content {
        var entries: [SettingsNode.Entry] = []
        var places: [String: Mark] = [:]
        var isMerged = false
        while true {
            let event = try events.next()
            if case .mappingEnd = event.kind { return isMerged ? .refused : .mapping(entries) }
            let key = try key(event, path, depth)
            let value = try node(
                try events.next(), key.map { path.appending(key: $0) } ?? path, key: event.mark, depth: depth + 1)
            switch key {
            case nil: continue
            case "<<":
                isMerged = true
                report("merge keys are not allowed", event.mark, path, hint: "Write the keys out.")
            case let key?:
                if let first = places[key] {
                    report("\(path.appending(key: key)) is there twice, first in line \(first.line)", event.mark, path)
                    continue
                }
                places[key] = event.mark
                entries.append(SettingsNode.Entry(key: key, keyMark: event.mark, value: value))
            }
        }
    }

    /// The text of a key, or nil after a report that it is not text.
    private mutating func key(_ event: YAMLEvent, _ path: SettingsPath, _ depth: Int) throws(YAMLProblem) -> String? {
        let key = try node(event, path, key: nil, depth: depth + 1)
        switch key.content {
        case .scalar(let text, _) where !text.isEmpty: return text
        case .refused: return nil
        default:
            report("a key must be text", event.mark, path)
            return nil
        }
    }

    /// Refuses what YAML can and a settings file should not.
    private mutating func checkPlainness(of event: YAMLEvent, _ path: SettingsPath) -> Bool {
        if case .alias = event.kind {
            report(
                "aliases (*) are not allowed", event.mark, path,
                hint: "Write the value out; put text that begins with * in quotes.")
            return false
        }
        if event.anchor != nil {
            report(
                "anchors (&) are not allowed", event.mark, path, hint: "Put text that begins with & in quotes.")
        }
        if event.tag != nil {
            report("tags (!) are not allowed", event.mark, path, hint: "Put text that begins with ! in quotes.")
        }
        return event.anchor == nil && event.tag == nil
    }

    private mutating func report(_ message: String, _ mark: Mark, _ path: SettingsPath, hint: String? = nil) {
        diagnostics.report(Diagnostic(mark, path, message, hint: hint))
    }
}
