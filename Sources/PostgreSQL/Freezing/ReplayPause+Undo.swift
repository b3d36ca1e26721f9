import DumpCore

extension ReplayPause {
    /// What a record says of the server on which replay is paused: which one it is, and where it is reached.
    static func facts(of session: Session) async throws(DumpError) -> [String: String] {
        let server = try await PausedServer.ask(session)
        return [
            "system_identifier": server.systemIdentifier, "server_start": server.start, "server_time": server.now,
            "host": session.endpoint.host, "address": session.endpoint.address, "port": session.endpoint.port,
        ]
    }

    /// Resumes replay where it was paused.
    ///
    /// Another server may answer at its address by now, such as another standby of the same system, of which nothing is ours: that throws, and so
    /// does one that was started anew since, as no address tells whether it is the same. Behind a socket it is, or has taken its place on this
    /// host; what was paused there goes on. So does what was promoted.
    static func undo(_ record: UndoRecord, on session: Session) async throws(DumpError) {
        let server = try await PausedServer.ask(session)
        guard server.isTheOne(of: record) else {
            guard session.endpoint.host.hasPrefix("/"), server.wasStarted(after: record) else {
                throw DumpError(
                    .sourceUnavailable,
                    "another server answers at \(session.endpoint.host), port \(session.endpoint.port), than the one whose replay was paused, or it was restarted",
                    hint:
                        "If replay is still paused on the standby that was dumped, run 'select pg_wal_replay_resume()' there. Then remove the file of the record."
                )
            }
            return
        }
        guard server.inRecovery else { return }
        _ = try await session.query("select pg_wal_replay_resume()")
    }
}

/// A server, told apart from the others of its system.
private struct PausedServer {
    var systemIdentifier: String
    /// When it was started, in seconds since 1970 by its own clock.
    var start: String
    /// The time now by that clock.
    var now: String
    var inRecovery: Bool

    func isTheOne(of record: UndoRecord) -> Bool {
        systemIdentifier == record.facts["system_identifier"] && start == record.facts["server_start"]
    }

    /// By the clock of the host, if it is the same.
    func wasStarted(after record: UndoRecord) -> Bool {
        guard let start = Double(start), let time = record.facts["server_time"].flatMap(Double.init) else {
            return false
        }
        return start > time
    }

    static func ask(_ session: Session) async throws(DumpError) -> PausedServer {
        let row = try await session.row(
            """
            select (select system_identifier from pg_control_system())::text as system_identifier,
                   extract(epoch from pg_postmaster_start_time())::text as start,
                   extract(epoch from clock_timestamp())::text as now,
                   pg_is_in_recovery() as in_recovery
            """)
        return PausedServer(
            systemIdentifier: try row.text("system_identifier"), start: try row.text("start"),
            now: try row.text("now"), inRecovery: try row.flag("in_recovery"))
    }
}

extension Cluster {
    /// Resumes replay by a session of its own.
    func undo(_ record: UndoRecord) async throws(DumpError) {
        try await opener.open(named: access.controlDatabase).closing { session throws(DumpError) in
            try await ReplayPause.undo(record, on: session)
        }
    }
}

extension ConnectionOptions {
    /// For the server that a record tells of, whichever of several hosts these would lead to.
    func pinned(by record: UndoRecord) -> ConnectionOptions {
        guard let host = record.facts["host"], let port = record.facts["port"] else { return self }
        var pinned = self
        pinned.pin(host: host, address: record.facts["address"] ?? "", port: port)
        return pinned
    }
}
