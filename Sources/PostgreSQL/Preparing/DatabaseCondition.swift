import DumpCore

/// What one database is, or has, that makes the restore of its dump doubtful.
struct DatabaseCondition: Sendable {
    var server: ServerFacts

    func findings(on session: Session) async throws(DumpError) -> [Finding] {
        var findings = try await ignoredChecksums(session)
        findings += try await collationVersions(session)
        findings += try await money(session)
        findings += try await SearchPathReliance(major: server.major).findings(on: session)
        return findings
    }

    private func ignoredChecksums(_ session: Session) async throws(DumpError) -> [Finding] {
        let isOn = try await session.row("select current_setting('ignore_checksum_failure')::bool as is_on").flag(
            "is_on")
        guard isOn else { return [] }
        let database = session.endpoint.database
        return [
            Finding(
                .warning, "checksum_failure_ignored", object: database,
                "ignore_checksum_failure is on in database '\(database)': damaged rows are dumped as if they were good",
                hint: "Turn it off for the role that dumps: ALTER ROLE … SET ignore_checksum_failure = off.")
        ]
    }

    /// Versions of the collations that columns and indexes name. Asking for the version of each of hundreds would take its time.
    private func collationVersions(_ session: Session) async throws(DumpError) -> [Finding] {
        let rows = try await session.query(
            """
            with used as materialized (
                select attcollation as oid from pg_attribute where attrelid >= 16384
                union select unnest(indcollation::oid[]) from pg_index where indexrelid >= 16384
            ), noted as materialized (
                select c.oid, c.collversion, format('%I.%I', n.nspname, c.collname) as name
                from pg_collation c join pg_namespace n on n.oid = c.collnamespace
                where c.collversion is not null and c.oid in (select oid from used)
            ), compared as materialized (
                select name, collversion as recorded, pg_collation_actual_version(oid) as actual from noted
            )
            select * from compared where recorded <> actual order by name collate "C"
            """.withoutMaterialized(before: 12, server))
        var findings: [Finding] = []
        for row in rows {
            let object = "\(session.endpoint.database).\(try row.text("name"))"
            findings.append(
                .collationMismatch(
                    of: object, object: object, from: try row.text("recorded"), to: try row.text("actual"),
                    refresh: "ALTER COLLATION … REFRESH VERSION"))
        }
        return findings.abridged(in: session.endpoint.database)
    }

    /// The type is written and read as `lc_monetary` has it, which is the restoring server's own by then.
    private func money(_ session: Session) async throws(DumpError) -> [Finding] {
        let row = try await session.row(
            """
            select count(*) as count, min(format('%I.%I.%I', n.nspname, c.relname, a.attname) collate "C") as first,
                   current_setting('lc_monetary') as format
            from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace
            where a.atttypid in ('money'::regtype, 'money[]'::regtype) and c.oid >= 16384 and c.relkind = 'r'
                and a.attnum > 0 and not a.attisdropped
            """)
        guard let first = try row.optionalText("first") else { return [] }
        let (database, format) = (session.endpoint.database, try row.text("format"))
        return [
            Finding(
                .warning, "money_format", object: database,
                "\(counted(try row.integer("count"), "column")) of type money in database '\(database)', first \(first), dumped in the format of "
                    + "lc_monetary '\(format)'",
                hint:
                    "Restore with the same format (PGOPTIONS='-c lc_monetary=\(format)'), or make the columns numeric.")
        ]
    }
}

extension String {
    /// Servers before 12 do not know the word, and do what it says.
    fileprivate func withoutMaterialized(before major: Int, _ server: ServerFacts) -> String {
        guard server.major < major else { return self }
        return split(separator: " as materialized (", omittingEmptySubsequences: false).joined(separator: " as (")
    }
}
