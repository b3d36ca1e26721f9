import DumpCore

extension RestoreTarget {
    /// Drops a database and ends all sessions in it. Its subscriptions go first, and leave their slots alone.
    ///
    /// - Returns: whether it was there.
    func drop(database name: String) async throws(DumpError) -> Bool {
        try await changing { session throws(DumpError) in
            let rows = try await session.query(
                """
                select datistemplate as is_template, datconnlimit = -2 as is_invalid, datallowconn as is_open,
                       exists (select from pg_subscription where subdbid = d.oid) as has_subscriptions
                from pg_database d where datname = $1
                """, [name])
            guard let row = rows.first else { return false }
            if try row.flag("is_template") {
                try await session.change("alter database \(name.asIdentifier) is_template false")
            }
            if try row.flag("has_subscriptions"), try !row.flag("is_invalid") {
                if try !row.flag("is_open") {
                    try await session.change("alter database \(name.asIdentifier) allow_connections true")
                }
                try await dropSubscriptions(of: name)
            }
            try await drop(name, session)
            return true
        }
    }

    private func drop(_ name: String, _ session: Session) async throws(DumpError) {
        guard facts.major < 13 else {
            return try await session.change("drop database \(name.asIdentifier) with (force)")
        }
        try await session.change("alter database \(name.asIdentifier) allow_connections false")
        try await session.terminateClients(of: [name])
        try await session.change("drop database \(name.asIdentifier)")
    }

    private func dropSubscriptions(of database: String) async throws(DumpError) {
        try await changing(in: database) { session throws(DumpError) in
            for name in try await session.detachSubscriptions() {
                try await session.change("drop subscription \(name.asIdentifier)")
            }
        }
    }
}

extension Session {
    /// Takes the slots on the publisher from all subscriptions of this database: else to drop one would drop the live slot.
    ///
    /// - Returns: their names.
    @discardableResult
    func detachSubscriptions() async throws(DumpError) -> [String] {
        let rows = try await query(
            """
            select subname as name, subenabled as is_enabled, subslotname is not null as has_slot from pg_subscription
            where subdbid = (select oid from pg_database where datname = current_database()) order by subname
            """)
        var names: [String] = []
        for row in rows {
            let name = try row.text("name")
            if try row.flag("is_enabled") { try await change("alter subscription \(name.asIdentifier) disable") }
            if try row.flag("has_slot") {
                try await change("alter subscription \(name.asIdentifier) set (slot_name = none)")
            }
            names.append(name)
        }
        return names
    }

    /// Ends all sessions of these databases but our own, and waits a while until they are gone.
    ///
    /// - Returns: how many are still there.
    @discardableResult
    func terminateClients(of databases: [String], within limit: Duration = .seconds(10)) async throws(DumpError)
        -> Int64
    {
        let names = databases.map(\.asLiteral).joined(separator: ", ")
        let end = ContinuousClock.now + limit
        while true {
            // One that has ended between the two is no longer counted.
            let left = try await row(
                """
                select count(pg_terminate_backend(pid)) as count from pg_stat_activity
                where datname in (\(names)) and pid <> pg_backend_pid()
                """
            ).integer("count")
            guard left > 0, ContinuousClock.now < end else { return left }
            do { try await Task.sleep(for: .milliseconds(20)) } catch {
                throw DumpError(.cancelled, "the restore was cancelled", underlying: error)
            }
        }
    }
}
