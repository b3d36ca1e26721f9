import DumpCore

/// Databases whose sessions are read only unless they ask for something else, which pg_restore does not.
enum ReadOnlyDatabases {
    static func findings(on session: Session, among databases: [ServerFacts.Database]) async throws(DumpError)
        -> [Finding]
    {
        let rows = try await session.query(
            """
            select d.datname as name
            from pg_catalog.pg_db_role_setting s join pg_catalog.pg_database d on d.oid = s.setdatabase
            where exists (
                select from unnest(s.setconfig) setting
                where setting like 'default\\_transaction\\_read\\_only=%'
                  and split_part(setting, '=', 2)::bool
            )
            group by d.datname order by d.datname collate "C"
            """)
        let names = Set(databases.map(\.name))
        var findings: [Finding] = []
        for row in rows {
            let name = try row.text("name")
            if names.contains(name) { findings.append(finding(name)) }
        }
        return findings
    }

    private static func finding(_ database: String) -> Finding {
        Finding(
            .note, "database_read_only", object: database,
            "database '\(database)' is read only by default: a plain pg_restore stops at its first table",
            hint: "Restore it with PGOPTIONS='-c default_transaction_read_only=off' in the environment.")
    }
}
