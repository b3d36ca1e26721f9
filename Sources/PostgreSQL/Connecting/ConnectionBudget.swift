import DumpCore

/// How many more connections the server would grant us.
struct ConnectionBudget: Sendable {
    var free: Int

    static func ask(_ session: Session) async throws(DumpError) -> ConnectionBudget {
        // numbackends is shown to every role, and counts the server's own workers too: rather too many than too few.
        let row = try await session.row(
            """
            select current_setting('max_connections')::int
                   - case when rolsuper then 0
                          else current_setting('superuser_reserved_connections')::int
                               + coalesce(current_setting('reserved_connections', true), '0')::int end
                   - (select sum(numbackends) from pg_stat_database) as of_server,
                   case when rolconnlimit >= 0 and not rolsuper
                        then rolconnlimit - (select count(*) from pg_stat_activity where usesysid = r.oid) end as of_role
            from pg_roles r where rolname = current_user
            """)
        let ofServer = try row.integer("of_server")
        return ConnectionBudget(free: Int(max(0, min(ofServer, try row.optionalInteger("of_role") ?? ofServer))))
    }

    /// Divides databases into groups that can be frozen together, the largest databases first.
    ///
    /// - Parameter parallel: how many units are dumped at once. Their programs, those for the roles, and whoever watches need
    ///   connections beside the sessions that hold the snapshots.
    func groups(of databases: [ServerFacts.Database], parallel: Int) -> [[ServerFacts.Database]] {
        let size = max(1, free - reserve(parallel))
        let sorted = databases.sorted { ($0.bytes ?? 0) > ($1.bytes ?? 0) }
        return stride(from: 0, to: sorted.count, by: size).map { Array(sorted[$0..<min($0 + size, sorted.count)]) }
    }

    /// What there is to say when one group does not suffice.
    func findings(
        _ groups: [[ServerFacts.Database]], parallel: Int, mustBeExact: Bool, isApplicationHeld: Bool
    ) -> [Finding] {
        guard groups.count > 1 else { return [] }
        let all = groups.reduce(0) { $0 + $1.count }
        let hint = "Raise max_connections or the role's connection limit, or lower 'parallel:' in the job file."
        let late = all - groups[0].count
        return [
            Finding(
                mustBeExact ? .failure : .warning, "connections_too_few", object: "max_connections",
                "\(free) connections are free, and \(all) databases need \(all + reserve(parallel)): "
                    + "they are frozen in \(groups.count) groups and not at one instant",
                hint: hint)
        ]
            + (isApplicationHeld
                ? [.outsideFreeze("\(late) databases are read", object: "max_connections", hint: hint)] : [])
    }

    /// A pg_dump has a connection for each of its jobs and one more; all jobs together are at most `parallel`.
    private func reserve(_ parallel: Int) -> Int { 2 * parallel + 3 }
}
