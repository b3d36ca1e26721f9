import DumpCore
import Linux
import Synchronization

/// Replay on a standby, paused by us, so that what its databases hold stands still.
///
/// Comparing snapshots proves nothing in recovery. Replay cancels an open snapshot there, by removing rows that the snapshot still sees. An
/// exclusive lock on a table that it reads cancels it too. While replay is paused, all databases are as of one position of the log.
final class ReplayPause: Sendable {
    private let cluster: Cluster
    private let run: RunContext
    /// Nil when replay was paused already: then it is not ours to resume.
    private let record: Mutex<UndoRecord?>
    private let beganAt = ContinuousClock.now
    private let endedAt = Mutex<ContinuousClock.Instant?>(nil)
    /// Resumes after the longest pause that the operator allows.
    private let limit = Mutex<Task<Void, Never>?>(nil)

    private init(_ cluster: Cluster, _ run: RunContext, _ record: UndoRecord?) {
        self.cluster = cluster
        self.run = run
        self.record = Mutex(record)
    }

    /// Pauses replay at a position without an exclusive lock: a dump would wait for it in vain.
    static func begin(
        on session: Session, of cluster: Cluster, in run: RunContext
    ) async throws(DumpError) -> ReplayPause {
        let patience = ContinuousClock.now + .seconds(300)
        if try await session.row(state).text("state") != "not paused" {
            run.log.info("replay was already paused, and stays paused", metadata: ["dump": "\(run.dump)"])
            try await untilPaused(session, patience)
            return ReplayPause(cluster, run, nil)
        }
        while true {
            try await wait(until: patience, "a replayed transaction holds an exclusive lock") { () throws(DumpError) in
                try await session.row(exclusiveLocks).integer("locks") == 0
            }
            let record = try await run.journal.record(try await facts(of: session), of: run.dump)
            StopPoint.passing("replay.recorded")
            let pause = ReplayPause(cluster, run, record)
            do {
                _ = try await session.query("select pg_wal_replay_pause()")
                StopPoint.passing("replay.paused")
                try await untilPaused(session, patience)
                if try await session.row(exclusiveLocks).integer("locks") == 0 {
                    pause.resumeAfter(cluster.settings.pauseLimit)
                    return pause
                }
            } catch {
                await pause.end()
                throw error
            }
            await pause.end()
        }
    }

    /// Throws when replay went on since: then the databases need not be as of one position.
    func confirm(on session: Session) async throws(DumpError) {
        guard try await session.row(Self.state).text("state") == "paused" else {
            throw DumpError(
                .notExact, "replay was resumed on the standby while it was being frozen",
                hint: "Find out who calls pg_wal_replay_resume(), and run it again.", isTransient: true)
        }
    }

    /// How long replay has been paused by us; nil if another had paused it.
    var duration: Duration? {
        let endedAt = endedAt.withLock { $0 }
        guard endedAt != nil || record.withLock({ $0 != nil }) else { return nil }
        return (endedAt ?? .now) - beganAt
    }

    /// Resumes replay, unless that was done or is not ours to do. What fails thrice is left to the next start, by its record.
    func end() async {
        let timer = limit.withLock { $0.take() }
        timer?.cancel()
        await timer?.value
        // Also when the run is being cancelled: a task of its own is not.
        await Task {
            for attempt in 1...3 where await !resume() && attempt < 3 { try? await Task.sleep(for: .seconds(1)) }
        }.value
    }

    /// False when it failed, and may be tried again: all connections may be taken just now.
    private func resume() async -> Bool {
        guard let taken = record.withLock({ $0.take() }) else { return true }
        do {
            try await cluster.undo(taken)
            endedAt.withLock { $0 = .now }
            try await run.journal.forget(taken)
            return true
        } catch {
            record.withLock { $0 = taken }
            run.log.error(
                "cannot resume replay on the standby: 'muster undo' or the next run will, if this one does not in time",
                metadata: ["dump": "\(run.dump)", "error": "\(error)"])
            return false
        }
    }

    private func resumeAfter(_ time: Duration) {
        limit.withLock {
            $0 = Task {
                do { try await Task.sleep(for: time) } catch { return }
                run.log.warning(
                    "replay was paused for as long as allowed, and is resumed; the dump goes on, and may be cancelled",
                    metadata: ["dump": "\(run.dump)", "after": "\(time)"])
                while await !resume() {
                    do { try await Task.sleep(for: .seconds(5)) } catch { return }
                }
            }
        }
    }

    static let state = "select pg_get_wal_replay_pause_state() as state"

    /// In recovery no session can take one: they are all of what is replayed.
    private static let exclusiveLocks = """
        select count(*) as locks from pg_locks where mode = 'AccessExclusiveLock' and granted and locktype = 'relation'
        """

    /// What keeps us from pausing replay on this server.
    static func findings(on session: Session, _ facts: ServerFacts) async throws(DumpError) -> [Finding] {
        guard facts.major >= 14 else {
            return [
                Finding(
                    .failure, "replay_pause_unsupported", object: "standby",
                    "PostgreSQL \(facts.version) does not report when replay has paused",
                    hint: "Remove 'standby: {pause_replay: true}': it needs PostgreSQL 14 or newer.")
            ]
        }
        let row = try await session.row(
            """
            select has_function_privilege('pg_wal_replay_pause()', 'execute')
                   and has_function_privilege('pg_wal_replay_resume()', 'execute') as may_pause
            """)
        guard try !row.flag("may_pause") else { return [] }
        return [
            Finding(
                .failure, "replay_pause_denied", object: facts.role.name,
                "role '\(facts.role.name)' may not pause and resume replay",
                hint: "On the primary: GRANT EXECUTE ON FUNCTION pg_wal_replay_pause(), pg_wal_replay_resume() TO it.")
        ]
    }

    /// A pause that was asked for comes after the record that is being replayed.
    private static func untilPaused(
        _ session: Session, _ patience: ContinuousClock.Instant
    ) async throws(DumpError) {
        try await wait(until: patience, "replay does not come to a pause") { () throws(DumpError) in
            try await session.row(state).text("state") == "paused"
        }
    }

    private static func wait(
        until end: ContinuousClock.Instant, _ hindrance: String, _ isSo: () async throws(DumpError) -> Bool
    ) async throws(DumpError) {
        while try await !isSo() {
            guard ContinuousClock.now < end else {
                throw DumpError(
                    .sourceUnavailable, "replay on the standby cannot be paused: \(hindrance)",
                    hint: "Look at pg_locks and pg_stat_activity on the standby, and run it again.", isTransient: true)
            }
            do { try await Task.sleep(for: .milliseconds(50)) } catch {
                throw DumpError(.cancelled, "pausing replay was cancelled", underlying: error)
            }
        }
    }
}
