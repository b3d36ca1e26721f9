import DumpCore

extension ReplayPause {
    /// What the record of a pause is to say.
    static func facts(of session: Session) async throws(DumpError) -> PausedReplay {
        let server = try await PausedServer.ask(session)
        return PausedReplay(
            systemIdentifier: server.systemIdentifier, serverStart: server.start, serverTime: server.now,
            host: session.endpoint.host, address: session.endpoint.address, port: session.endpoint.port)
    }

    /// Resumes replay where it was paused.
    ///
    /// Another server may answer at its address by now, such as another standby of the same system, on which nothing is ours: that throws. So
    /// does a server that was restarted since, as no address shows whether it is the same. Behind a socket it is, or has taken its place on
    /// this host; what was paused there goes on. So does what was promoted.
    static func undo(_ paused: PausedReplay, on session: Session) async throws(DumpError) {
        let server = try await PausedServer.ask(session)
        guard server.isTheOne(of: paused) else {
            guard session.endpoint.host.hasPrefix("/"), server.wasStarted(after: paused) else {
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

    func isTheOne(of paused: PausedReplay) -> Bool {
        systemIdentifier == paused.systemIdentifier && start == paused.serverStart
    }

    /// By the clock of the host, if it is the same.
    func wasStarted(after paused: PausedReplay) -> Bool {
        guard let start = Double(start), let time = paused.serverTime.flatMap(Double.init) else {
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
        let paused = try PausedReplay(of: record)
        try await opener.open(named: access.controlDatabase).closing { session throws(DumpError) in
            try await ReplayPause.undo(paused, on: session)
        }
    }
}

extension ConnectionOptions {
    /// For the server that was paused, whichever of several hosts these would lead to.
    func pinned(to paused: PausedReplay) -> ConnectionOptions {
        guard let host = paused.host, let port = paused.port else { return self }
        var pinned = self
        pinned.pin(host: host, address: paused.address ?? "", port: port)
        return pinned
    }
}
