import DumpCore
import Settings

@testable import Plugins

/// What plugins say, and what their authors write.
extension FuzzedParser {
    static let ofPlugins = [
        FuzzedParser("description", [file("plugins/sqlite/plugin.json")]) { bytes in
            var diagnostics = Diagnostics()
            _ = PluginDescription.read(bytes, name: "sqlite", &diagnostics)?.settings
        },
        FuzzedParser("events", [events]) { bytes in
            let plugin = try Plugin(root.pushing("plugins/sqlite"))
            for verb in [PluginDescription.Verb.prepare, .dump, .restore] {
                var transcript = PluginTranscript(of: PluginCall(plugin: plugin, verb: verb))
                transcript.go()
                for line in bytes.text.split(atASCII: "\n") {
                    if let event = try? PluginEvent(String(line)) { _ = try? transcript.take(event) }
                }
                _ = (transcript.databases, transcript.units.map(\.estimatedBytes), transcript.error?.description)
            }
        },
    ]

    private static let events = #"""
        {"event": "fact", "name": "server_version", "value": "3.46"}
        {"event": "unit", "name": "data", "path": "a/data", "bytes": 4096}
        {"event": "finding", "severity": "warning", "code": "slow", "object": "x", "message": "it is slow", "hint": "Wait."}
        {"event": "omission", "severity": "note", "code": "left_out", "object": "y", "message": "it is left out"}
        {"event": "frozen"}
        {"event": "progress", "unit": "a/data", "bytes": 12}
        {"event": "undo", "id": "lock", "kind": "lock", "facts": {"table": "orders"}}
        {"event": "undone", "id": "lock"}
        {"event": "database", "name": "shop", "path": "a/data", "tables": [{"schema": "main", "name": "t", "rows": 3}]}
        {"event": "plan", "item": "data", "name": "/srv/x", "kept": "/srv/y", "bytes": 12}
        {"event": "restored", "item": "data", "name": "/srv/x", "compared": {"rows": 3}, "differences": [], "not_compared": ["z"]}
        {"event": "error", "code": "server_refused", "message": "it refused", "hint": "Ask again.", "transient": true}
        {"event": "summary", "consistency": "exact", "evidence": {"attempts": "2"}}
        """#
}
