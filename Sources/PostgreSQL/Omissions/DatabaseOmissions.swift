import DumpCore

/// What is in one database and not in its dump.
struct DatabaseOmissions: Sendable {
    var server: ServerFacts
    /// Nil if there is none that suits the server.
    var client: Client.Version?
    var layout: PostgreSQLSettings.Layout

    /// Asks a session of that database what only a commit can change. In a transaction, that is as of its snapshot.
    ///
    /// - Parameter missing: what this session has answered.
    func inCatalogs(_ session: Session, _ missing: MissingGrantees) async throws(DumpError) -> [Finding] {
        var findings = try await TableOmissions(server: server).ask(session)
        findings += try await materializedViews(session)
        findings += try await largeObjects(session)
        findings += try await sequences(session)
        findings += try await extendedStatistics(session)
        findings += try await subscriptions(session)
        findings += try await userMappings(session)
        findings += try await invalidIndexes(session)
        findings += missing.omissions(in: session.endpoint.database, layout: layout)
        findings += try await SystemSchemaOmissions().ask(session)
        findings += try await ExtensionOmissions().ask(session)
        findings += try await ServerFileOmissions().ask(session)
        return findings
    }

    /// Asks for what changes without a commit: settings, and transactions that were prepared.
    func ofTheMoment(_ session: Session) async throws(DumpError) -> [Finding] {
        try await damagedPages(session) + preparedTransactions(session)
    }

    /// pg_dump fails at one that it may not read.
    private func largeObjects(_ session: Session) async throws(DumpError) -> [Finding] {
        guard !server.role.isSuperuser else { return [] }
        let row = try await session.row(
            """
            select count(*) as count, min(oid::bigint) as first from pg_largeobject_metadata
            where current_setting('lo_compat_privileges') = 'off' and not \(mayReadLargeObject)
            """)
        guard let first = try row.optionalInteger("first") else { return [] }
        let count = counted(try row.integer("count"), "large object")
        let database = session.endpoint.database
        return [
            Finding(
                .failure, .largeObjectsUnreadable, object: database,
                "role '\(server.role.name)' may not read \(count) of database '\(database)', first \(first)",
                hint:
                    "Dump as a superuser, or GRANT SELECT ON LARGE OBJECT … to the role, or make it a member of their owner."
            )
        ]
    }

    /// From 18 on the server tells; it also knows, from 19 on, that `pg_read_all_data` is enough.
    private var mayReadLargeObject: String {
        guard server.major < 18 else { return "has_largeobject_privilege(oid, 'select')" }
        return """
            (pg_has_role(lomowner, 'usage') or exists (
                select from aclexplode(lomacl)
                where privilege_type = 'SELECT'
                    and case grantee when 0 then true else pg_has_role(grantee, 'usage') end
            ))
            """
    }

    /// Those that were open when the session's transaction began; without a transaction, those that are open now.
    private func preparedTransactions(_ session: Session) async throws(DumpError) -> [Finding] {
        let rows = try await session.query(
            """
            select gid, to_char(prepared at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as since
            from pg_prepared_xacts where database = current_database() and prepared <= now()
            order by prepared, gid collate "C"
            """)
        var findings: [Finding] = []
        for row in rows {
            let name = try row.text("gid")
            findings.append(
                Finding(
                    .warning, .preparedTransaction, object: name,
                    "transaction '\(name)' of database '\(session.endpoint.database)' has been prepared since "
                        + "\(try row.text("since")): what it did is in no dump",
                    hint: "Find out who forgot it, then COMMIT PREPARED or ROLLBACK PREPARED."))
        }
        return findings
    }

    private func sequences(_ session: Session) async throws(DumpError) -> [Finding] {
        let count = try await session.row(
            """
            select count(*) as count \(Relations.ofUsers)
            where c.relkind = 'S' and not \(Relations.isUnmarkedMember) and not \(Relations.isInSystemSchema)
            """
        ).integer("count")
        guard count > 0 else { return [] }
        let database = session.endpoint.database
        return [
            Finding(
                .note, .sequencesOutsideSnapshot, object: database,
                "\(counted(count, "sequence")) of database '\(database)' dumped with later values than its tables: no snapshot holds them",
                hint: "One that advanced skips numbers. The dump reports one that was set back."
            )
        ]
    }

    /// pg_dump 18 dumps the statistics of columns, and 19 those that CREATE STATISTICS asked for too.
    private func extendedStatistics(_ session: Session) async throws(DumpError) -> [Finding] {
        guard let client, client.major == 18 else { return [] }
        let count = try await session.row("select count(*) as count from pg_statistic_ext").integer("count")
        guard count > 0 else { return [] }
        let database = session.endpoint.database
        return [
            Finding(
                .note, .optimizerStatistics, object: database,
                "pg_dump \(client) dumps \(counted(count, "extended statistics object")) of database '\(database)' without data",
                hint: "Run ANALYZE after a restore.")
        ]
    }

    /// pg_dump leaves them out with a warning, and succeeds, unless the role is a superuser (`getSubscriptions` in `pg_dump.c`).
    private func subscriptions(_ session: Session) async throws(DumpError) -> [Finding] {
        guard !server.role.isSuperuser else { return [] }
        let rows = try await session.query(
            """
            select format('%I.%I', current_database(), subname) as name from pg_subscription
            where subdbid = (select oid from pg_database where datname = current_database())
            order by subname collate "C"
            """)
        var findings: [Finding] = []
        for row in rows {
            let name = try row.text("name")
            findings.append(
                Finding(
                    .warning, .subscriptionSkipped, object: name,
                    "subscription \(name) is not dumped: role '\(server.role.name)' is not a superuser",
                    hint: "Dump as a superuser, or keep its CREATE SUBSCRIPTION elsewhere."))
        }
        return findings
    }
}
