import DumpCore
import SystemPackage

extension ServerActivity {
    /// Asks a server what goes on in `databases`.
    ///
    /// - Parameters:
    ///   - limit: how long a transaction may have been open.
    ///   - connect: opens a session in a database. Only there can a table's name be found out; where it throws,
    ///     tables are left as numbers.
    static func ask(
        _ session: Session, about databases: [ServerFacts.Database], longerThan limit: Duration = longTransaction,
        connect: (ServerFacts.Database) async throws(DumpError) -> Session
    ) async throws(DumpError) -> ServerActivity {
        let role = try await session.row(
            "select pg_has_role((select oid from pg_roles where rolname = 'pg_read_all_stats'), 'usage') as sees_all")
        // By bytes: names that are equal to Swift may be those of two databases.
        var locked: [FilePath.Component: [Row]] = [:]
        for row in try await session.query(exclusiveLocks) {
            locked[escapedPathComponent(try row.text("database")), default: []].append(row)
        }
        var locks: [ExclusiveLocks] = []
        for database in databases {
            guard let rows = locked[escapedPathComponent(database.name)] else { continue }
            locks += try await named(rows, in: database, connect)
        }
        let wanted = Set(databases.map { escapedPathComponent($0.name) })
        var transactions: [OpenTransaction] = []
        for row in try await session.query(openTransactions, ["\(limit.components.seconds) seconds"]) {
            let transaction = try OpenTransaction(row)
            if wanted.contains(escapedPathComponent(transaction.database)) { transactions.append(transaction) }
        }
        return ServerActivity(
            locks: locks, transactions: transactions, seesAllSessions: try role.flag("sees_all"))
    }

    /// One row for each session, database, and whether it has the locks or waits. A prepared transaction has no pid; the lock
    /// on its own transaction id says which it is. What ended between the two views is left out.
    private static let exclusiveLocks = """
        select l.pid, coalesce(x.owner, a.usename) as role, x.gid, d.datname as database, l.granted as is_held,
               string_agg(l.relation::text, ',' order by l.relation) as relations,
               extract(epoch from now() - case when l.granted then coalesce(x.prepared, a.xact_start)
                                               else a.query_start end)::bigint as seconds,
               array_to_string(pg_blocking_pids(l.pid), ',') as blockers
        from pg_locks l
        join pg_database d on d.oid = l.database
        left join pg_stat_activity a on a.pid = l.pid
        left join pg_locks own on l.pid is null and own.pid is null and own.virtualtransaction = l.virtualtransaction
                              and own.locktype = 'transactionid' and own.mode = 'ExclusiveLock'
        left join pg_prepared_xacts x on x.transaction = own.transactionid
        where l.locktype = 'relation' and l.mode = 'AccessExclusiveLock' and l.pid is distinct from pg_backend_pid()
          and (l.pid is not null or x.gid is not null)
        group by l.pid, a.usename, a.xact_start, a.query_start, x.owner, x.gid, x.prepared, d.datname, l.granted
        order by l.granted desc, l.pid
        """

    private static let openTransactions = """
        select pid, usename as role, null as gid, datname as database, state,
               extract(epoch from now() - xact_start)::bigint as seconds
        from pg_stat_activity
        where now() - xact_start >= $1::interval and datname is not null
          and pid <> pg_backend_pid() and backend_type = 'client backend'
        order by xact_start, pid
        """
}

extension ServerActivity.OpenTransaction {
    fileprivate init(_ row: Row) throws(DumpError) {
        self.init(
            holder: try ServerActivity.Holder(row), database: try row.text("database"),
            state: try row.optionalText("state") ?? "state unknown", duration: .seconds(try row.integer("seconds")))
    }
}

extension ServerActivity.Holder {
    init(_ row: Row) throws(DumpError) {
        if let gid = try row.optionalText("gid") {
            self = .prepared(gid: gid)
        } else if let role = try row.optionalText("role") {
            self = .session(pid: try row.text("pid"), role: role)
        } else {
            self = .process(pid: try row.text("pid"))
        }
    }
}
