import DumpCore
import Settings

/// Why a program stands still, as the server sees it.
struct StallReport: Sendable {
    private let waiting: [Waiting]
    private let blockers: [String]

    /// A session of the program.
    private struct Waiting {
        var state: String
        var eventType: String?
        var event: String?
        var since: String
        var statement: String

        init(_ row: Row) throws(DumpError) {
            state = try row.text("state")
            eventType = try row.optionalText("event_type")
            event = try row.optionalText("event")
            since = try row.text("since")
            statement = try row.text("statement")
        }

        /// Such as `Lock relation, active since 2026-11-24 01:02:03+00: LOCK TABLE …`.
        var shown: String {
            let event = [eventType, event].compactMap(\.self).joined(separator: " ")
            return "\(event.isEmpty ? "nothing" : event), \(state) since \(since): \(statement)"
        }
    }

    /// The error of a program that did not move for as long as `limit`.
    ///
    /// - Parameter session: opens the session to ask; what it throws is part of what is said.
    static func error(
        of followed: FollowedUnit, after limit: Duration, sessions session: () async throws(DumpError) -> Session
    ) async -> DumpError {
        var context: ErrorContext = [:]
        var hint = "Look at the server, the network and the disk of the staging area, and run it again."
        do throws(DumpError) {
            let report = try await StallReport(of: followed.applicationName, in: session())
            context["waits_for"] = report.shownWaiting
            if !report.blockers.isEmpty { context["blocked_by"] = report.blockers.joined(separator: "\n") }
            hint = report.hint
        } catch {
            context["waits_for"] = "unknown: \(error.message)"
        }
        return DumpError(
            .stalled, "\(followed.subject) has not moved for \(limit.settingsText) and was stopped", hint: hint,
            context: context)
    }

    private init(of applicationName: String, in session: Session) async throws(DumpError) {
        // A blocker without a process is a prepared transaction. Its statement may hold what is none of our business; our own does not.
        let rows = try await session.query(
            """
            select a.pid, coalesce(a.state, 'in an unknown state') as state, a.wait_event_type as event_type,
                   a.wait_event as event, coalesce(date_trunc('second', a.query_start)::text, 'an unknown time') as since,
                   left(split_part(coalesce(a.query, ''), chr(10), 1), 200) as statement, blocking.pid as blocker,
                   case when blocking.pid = 0 then 'a prepared transaction, see pg_prepared_xacts'
                        else format('pid %s, user %s, application ''%s'', %s since %s', blocking.pid,
                                    coalesce(b.usename, '(none)'), coalesce(b.application_name, ''),
                                    coalesce(b.state, 'in an unknown state'),
                                    coalesce(date_trunc('second', b.query_start)::text, 'an unknown time'))
                   end as shown_blocker
            from pg_stat_activity a
            left join lateral (select distinct unnest(pg_blocking_pids(a.pid)) as pid) blocking on true
            left join pg_stat_activity b on b.pid = blocking.pid
            where a.application_name = $1
            order by a.pid, blocking.pid
            """, [applicationName], limit: .seconds(30))
        var waiting: [Waiting] = []
        var seen: Set<Int64> = []
        var blockers: [String] = []
        for row in rows {
            if seen.insert(try row.integer("pid")).inserted { waiting.append(try Waiting(row)) }
            guard try row.optionalInteger("blocker") != nil else { continue }
            let blocker = try row.text("shown_blocker")
            if !blockers.contains(blocker) { blockers.append(blocker) }
        }
        // A pg_dumpall waits for its pg_dump with a session that does nothing.
        let busy = waiting.filter { $0.state != "idle" }
        self.waiting = busy.isEmpty ? waiting : busy
        self.blockers = blockers
    }

    private var shownWaiting: String {
        waiting.isEmpty
            ? "the server no longer has a session of it" : waiting.map(\.shown).joined(separator: "\n")
    }

    private var hint: String {
        let isBlocked = !blockers.isEmpty || waiting.contains { $0.eventType == "Lock" }
        if isBlocked {
            return "End the session that blocks it, or dump when nothing alters tables. lock_timeout bounds such waits."
        }
        if waiting.isEmpty { return "Check the network between this host and the server, and run it again." }
        if waiting.contains(where: { $0.eventType == "Client" }) {
            return "The server waits for pg_dump: look for a full or hung disk below the staging area, a cut network, "
                + "or a stopped process."
        }
        if waiting.contains(where: { $0.eventType == "IO" }) { return "Look at the server's disks." }
        return "Find out what the server does for it, or raise stall_timeout."
    }
}
