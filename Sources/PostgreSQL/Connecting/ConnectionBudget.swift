import DumpCore

/// How many connections the dump may take, and what becomes of the databases when they do not suffice.
struct ConnectionBudget: Sendable {
    /// How many more the server would grant us.
    var free: Int
    /// How much of them may be taken, in percent.
    var share = 50
    /// How many files this process may have open, connections included.
    var files = Int.max

    static func free(for session: Session) async throws(DumpError) -> Int {
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
        return Int(max(0, min(ofServer, try row.optionalInteger("of_role") ?? ofServer)))
    }

    /// How long it takes at most until the server no longer counts a program that has ended.
    static let patience = Duration.seconds(20)

    /// Waits until so many connections can be had, but not for long. Throws nothing: a program that gets none says more.
    static func awaitFree(_ count: Int, for control: Session) async {
        let end = ContinuousClock.now + patience
        while ContinuousClock.now < end {
            guard let free = try? await free(for: control), free < count else { return }
            // Cancelled: the program will not be started.
            do { try await Task.sleep(for: .milliseconds(100)) } catch { return }
        }
    }

    /// Divides databases into groups that can be frozen together.
    ///
    /// The smallest come first: they are soon done, so that all databases are frozen within the shortest time. An application that
    /// is held still is so for the first group alone; that one has the largest then.
    ///
    /// - Parameter parallel: how many units are dumped at once. Their programs, those for the roles, and the watch need
    ///   connections beside the sessions that hold the snapshots.
    func groups(
        of databases: [ServerFacts.Database], parallel: Int, isApplicationHeld: Bool = false
    ) -> [[ServerFacts.Database]] {
        let size = groupSize(parallel)
        let ascending = databases.sorted { ($0.bytes ?? 0) < ($1.bytes ?? 0) }
        let sorted = isApplicationHeld ? ascending.reversed() : ascending
        return stride(from: 0, to: sorted.count, by: size).map { Array(sorted[$0..<min($0 + size, sorted.count)]) }
    }

    /// How many sessions may be opened at once for questions, beside those that stay open.
    func opensAtOnce(beside open: Int) -> Int { max(1, min(usable - open, SessionOpener.mostAtOnce)) }

    private var usable: Int { free * share / 100 }

    private func groupSize(_ parallel: Int) -> Int {
        // Some files are open for other things: programs, what they write, the log.
        max(1, min(usable - reserve(parallel), files - 16 * parallel - 128))
    }

    /// What there is to say when one group does not suffice.
    func findings(
        _ groups: [[ServerFacts.Database]], parallel: Int, mustBeExact: Bool, isApplicationHeld: Bool
    ) -> [Finding] {
        guard groups.count > 1 else { return [] }
        let all = groups.reduce(0) { $0 + $1.count }
        let hint =
            "Raise connection_share in the job file, max_connections, or the role's connection limit, or lower 'parallel:'."
        let late = all - groups[0].count
        return [
            Finding(
                mustBeExact ? .failure : .warning, "connections_too_few", object: "max_connections",
                "\(free) connections are free, \(share) % of which may be taken, and \(all) databases need "
                    + "\(all + reserve(parallel)): they are frozen in \(groups.count) groups and not at one instant",
                hint: hint)
        ]
            + (isApplicationHeld
                ? [.outsideFreeze("\(late) databases are read", object: "max_connections", hint: hint)] : [])
    }

    /// A pg_dump with several jobs has a connection for each and one more. One with a single job has one connection. All jobs together are
    /// at most `parallel`. A session beside each pg_dump watches its tables while it begins.
    private func reserve(_ parallel: Int) -> Int { 2 * parallel + 3 }
}
