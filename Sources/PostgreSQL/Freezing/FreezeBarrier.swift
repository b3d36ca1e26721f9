import DumpCore
import Linux

/// Opens a snapshot in each of several databases of one server, all as of one instant if that can be had.
///
/// Transaction ids are counted for the whole cluster. Two sessions of different databases whose `pg_current_snapshot()` is the same see
/// the same transactions as committed: nothing was committed between the one and the other. So every session is asked to
/// begin at once, and if what they see differs, all are asked again.
struct FreezeBarrier: Sendable {
    let sessions: [Session]
    /// The server's major version: an older one calls the function differently.
    let major: Int
    let proof: Proof
    let limits: Limits

    /// What shows that all databases are as of one instant.
    enum Proof: Sendable {
        /// That all see the same transactions as committed.
        case equalSnapshots
        /// That nothing is replayed meanwhile, which the pause of replay confirms.
        case pausedReplay
        /// Nothing: in recovery, what is running is not in a snapshot.
        case none
    }

    struct Limits: Sendable, Equatable {
        /// At least 1.
        var attempts = 500
        var time = Duration.seconds(5)
    }

    /// Every session is in its transaction afterwards, and has exported its snapshot. After a throw they are of no more use.
    func freeze() async throws(DumpError) -> Freeze {
        try await onOwnThreadUntilCancelled { stop throws(DumpError) in try self.freeze(stop) }
    }

    private func freeze(_ stop: StopSign) throws(DumpError) -> Freeze {
        let start = ContinuousClock.now
        var attempts = 0
        while true {
            attempts += 1
            let from = Timestamp.now
            let views = try ask(attempts == 1 ? begin : "rollback; \(begin)", stop).map(View.init)
            let to = Timestamp.now
            let isExact = areOne(views)
            let time = ContinuousClock.now - start
            guard isExact || proof != .equalSnapshots || attempts >= limits.attempts || time >= limits.time else {
                continue
            }
            let exported = try ask("select pg_export_snapshot() as id", stop)
            return Freeze(
                isExact: isExact, from: from, to: to, attempts: attempts, time: time, views: views,
                snapshots: try exported.map { row throws(DumpError) in try row.text("id") })
        }
    }

    private func areOne(_ views: [View]) -> Bool {
        guard views.count > 1 else { return true }
        switch proof {
        case .equalSnapshots: return views.allSatisfy { $0.visible == views[0].visible }
        case .pausedReplay: return views.allSatisfy { $0.wal != nil && $0.wal == views[0].wal }
        case .none: return false
        }
    }

    /// Asks all sessions the same, and waits for none before all are asked. Each must answer with one row.
    private func ask(_ statements: String, _ stop: StopSign) throws(DumpError) -> [Row] {
        let waiting = Waiting(stop: stop, limit: .seconds(120))
        let sent = sessions.map { session in
            Result { () throws(DumpError) in try session.send(statements) }
        }
        // To the end, also after an error: all that are lost belong into one message.
        let answers = zip(sessions, sent).map { session, sent in
            Result { () throws(DumpError) in
                try sent.get()
                let rows = try session.receive(waiting: waiting)
                guard rows.count == 1 else {
                    throw DumpError(.sourceUnavailable, "\(session.endpoint.shown) answered with \(rows.count) rows")
                }
                return rows[0]
            }
        }
        if let failure = failure(answers) { throw failure }
        return try answers.map { answer throws(DumpError) in try answer.get() }
    }

    private func failure(_ answers: [Result<Row, DumpError>]) -> DumpError? {
        let failures = zip(sessions, answers).compactMap { session, answer -> (name: String, error: DumpError)? in
            if case .failure(let error) = answer { (session.endpoint.database, error) } else { nil }
        }.sorted { $0.name < $1.name }
        guard var sum = failures.first?.error, failures.count > 1, sum.code != .cancelled else {
            return failures.first?.error
        }
        sum.message = "\(failures.count) of \(sessions.count) databases cannot be frozen, first: \(sum.message)"
        sum.isTransient = failures.allSatisfy(\.error.isTransient)
        for failure in failures.dropFirst() { sum.context["'\(failure.name)'"] = failure.error.message }
        return sum
    }

    /// An expression for the transactions that a session sees as committed.
    static func visible(_ major: Int) -> String { major >= 13 ? "pg_current_snapshot()" : "txid_current_snapshot()" }

    private var begin: String {
        """
        begin isolation level repeatable read, read only;
        select \(Self.visible(major))::text as visible,
               pg_wal_lsn_diff(
                   case when pg_is_in_recovery() then pg_last_wal_replay_lsn() else pg_current_wal_insert_lsn() end, '0/0'
               )::bigint as wal,
               (extract(epoch from clock_timestamp()) * 1000000)::bigint as microseconds
        """
    }

    /// What one session said as it began.
    struct View: Sendable {
        /// Which transactions it sees as committed.
        var visible: String
        /// In bytes from the beginning of the write-ahead log; nil if the server has none to show.
        var wal: Int64?
        /// On the server's clock, since 1970.
        var microseconds: Int64

        init(_ row: Row) throws(DumpError) {
            visible = try row.text("visible")
            wal = try row.optionalInteger("wal")
            microseconds = try row.integer("microseconds")
        }
    }
}

/// How several databases were frozen together.
struct Freeze: Sendable {
    /// Whether all are as of one instant, and that was shown.
    var isExact: Bool
    /// All instants lie between these, on our clock.
    var from: Timestamp
    var to: Timestamp
    var attempts: Int
    /// The time of all attempts together.
    var time: Duration
    var views: [FreezeBarrier.View]
    /// What pg_dump's `--snapshot` takes, in the order of the sessions.
    var snapshots: [String]
}
