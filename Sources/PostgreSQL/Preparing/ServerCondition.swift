import DumpCore

/// What a server reports about itself that makes a dump, or its restore, doubtful.
struct ServerCondition: Sendable {
    var server: ServerFacts

    func findings(on session: Session, among databases: [ServerFacts.Database]) async throws(DumpError) -> [Finding] {
        try await checksumFailures(session) + collationVersions(session, databases)
    }

    /// Counted since the statistics were reset, of databases that are dumped or not: they share a disk.
    private func checksumFailures(_ session: Session) async throws(DumpError) -> [Finding] {
        guard server.major >= 12 else { return [] }
        let rows = try await session.query(
            """
            select datname as name, checksum_failures as count,
                   to_char(checksum_last_failure at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as last
            from pg_stat_database where checksum_failures > 0 order by datname collate "C"
            """)
        var findings: [Finding] = []
        for row in rows {
            let name = try row.optionalText("name")
            let place = name.map { "database '\($0)'" } ?? "the relations that all databases share"
            findings.append(
                Finding(
                    .warning, "checksum_failures", object: name ?? "pg_global",
                    "the server counted \(counted(try row.integer("count"), "checksum failure")) in \(place), the last at "
                        + "\(try row.optionalText("last") ?? "an unknown time")",
                    hint:
                        "Find out whether its disk fails (dmesg, smartctl), run pg_amcheck, and keep the existing sets."
                ))
        }
        return findings
    }

    /// Versions of the collations that databases have as their default, which servers before 15 do not note down.
    private func collationVersions(
        _ session: Session, _ databases: [ServerFacts.Database]
    ) async throws(DumpError) -> [Finding] {
        guard server.major >= 15 else { return [] }
        let rows = try await session.query(
            """
            select datname as name, datcollversion as recorded, pg_database_collation_actual_version(oid) as actual
            from pg_database where datcollversion <> pg_database_collation_actual_version(oid)
            order by datname collate "C"
            """)
        let names = Set(databases.map { escapedPathComponent($0.name) })
        var findings: [Finding] = []
        for row in rows {
            let name = try row.text("name")
            guard names.contains(escapedPathComponent(name)) else { continue }
            findings.append(
                .collationMismatch(
                    of: "database '\(name)'", object: name, from: try row.text("recorded"), to: try row.text("actual"),
                    refresh: "ALTER DATABASE … REFRESH COLLATION VERSION"))
        }
        return findings
    }
}

extension Finding {
    static func collationMismatch(
        of what: String, object: String, from recorded: String, to actual: String, refresh: String
    ) -> Finding {
        Finding(
            .warning, "collation_version_mismatch", object: object,
            "the collation of \(what) is of version \(recorded), and the server's library sorts by version \(actual): "
                + "unique indexes may hold duplicates, which a restore refuses",
            hint: "REINDEX what uses it, remove the duplicates that this finds, then \(refresh).")
    }
}
