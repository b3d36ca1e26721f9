import DumpCore

/// A standby whose replay is paused, as its undo record has it: which one it is, and where it is reached.
struct PausedReplay: UndoFacts {
    static let recordKind = "replay_paused"

    var systemIdentifier: String
    /// When the server was started, and the time at the pause, in seconds since 1970 by its own clock. Nil in records of before they were kept.
    var serverStart: String?
    var serverTime: String?
    var host: String?
    var address: String?
    var port: String?

    var kind: String { Self.recordKind }

    var recorded: [String: String] {
        let facts = [
            "system_identifier": systemIdentifier, "server_start": serverStart, "server_time": serverTime,
            "host": host, "address": address, "port": port,
        ]
        return facts.compactMapValues(\.self)
    }
}

extension PausedReplay {
    init(of record: UndoRecord) throws(DumpError) {
        guard record.kind == Self.recordKind else { throw DumpError(unknown: record) }
        systemIdentifier = try record.fact("system_identifier")
        serverStart = record.fact(ifAny: "server_start")
        serverTime = record.fact(ifAny: "server_time")
        host = record.fact(ifAny: "host")
        address = record.fact(ifAny: "address")
        port = record.fact(ifAny: "port")
    }
}
