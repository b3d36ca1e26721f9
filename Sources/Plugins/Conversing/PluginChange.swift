import Documents
import DumpCore

/// A change that a plugin has made outside of its directory, as the journal has it.
struct PluginChange: UndoFacts {
    /// What the plugin said of it.
    struct Said: Sendable, Encodable {
        var id: String
        var kind: String
        var facts: [String: String]

        init(_ members: EventMembers) throws(EventFault) {
            (id, kind, facts) = (try members.text("id"), try members.code("kind"), try members.texts("facts"))
            guard !id.utf8.contains(UInt8(ascii: " ")) else {
                throw EventFault(reason: "'id' of 'undo' has a blank in it")
            }
        }

        fileprivate init(id: String, kind: String, facts: [String: String]) {
            (self.id, self.kind, self.facts) = (id, kind, facts)
        }
    }

    let plugin: String
    let said: Said

    init(plugin: String, _ said: Said) { (self.plugin, self.said) = (plugin, said) }

    var kind: String { Self.kind(of: plugin) }

    static func kind(of plugin: String) -> String { "plugin_\(plugin)" }

    var recorded: [String: String] {
        var recorded = ["plugin": plugin, "id": said.id, "change": said.kind]
        for (name, value) in said.facts { recorded[Self.prefix + name] = value }
        return recorded
    }

    private static let prefix = "fact."

    init(of record: UndoRecord) throws(DumpError) {
        plugin = try record.fact("plugin")
        let facts = record.facts(named: Self.prefix).map { (String($0.key.dropFirst(Self.prefix.count)), $0.value) }
        said = Said(
            id: try record.fact("id"), kind: try record.fact("change"), facts: Dictionary(uniqueKeysWithValues: facts))
    }

    /// As its program reads it.
    var document: String {
        get throws(DumpError) {
            do {
                return try SnakeCaseJSON.line(said)
            } catch {
                throw DumpError(.system, "cannot write the record of a change: \(error)")
            }
        }
    }
}
