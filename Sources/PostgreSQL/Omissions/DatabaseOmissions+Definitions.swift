import DumpCore

/// Definitions, or parts of them, that pg_dump leaves out without a word.
extension DatabaseOmissions {
    /// Few roles see the options of a user mapping, a password among them (`pg_user_mappings` in the manual). For all other roles, pg_dump
    /// writes the mapping without them.
    func userMappings(_ session: Session) async throws(DumpError) -> [Finding] {
        guard !server.role.isSuperuser else { return [] }
        let rows = try await session.query(
            """
            select m.usename as role, m.srvname as server
            from pg_user_mappings m join pg_foreign_server s on s.oid = m.srvid
            where m.umoptions is null and not case m.umuser
                when 0 then pg_has_role(s.srvowner, 'usage')
                else m.usename = current_user
                    and (pg_has_role(s.srvowner, 'usage') or has_server_privilege(s.oid, 'usage')) end
            order by m.srvname collate "C", m.usename collate "C"
            """)
        let database = session.endpoint.database
        var findings: [Finding] = []
        for row in rows {
            let (role, server) = (try row.text("role"), try row.text("server"))
            findings.append(
                Finding(
                    .warning, .userMappingOptionsHidden, object: "\(database).\(server).\(role)",
                    "the user mapping of '\(role)' on server '\(server)' of database '\(database)' is dumped without its options, such "
                        + "as a password: role '\(self.server.role.name)' may not see them",
                    hint: "Dump as a superuser, or keep its CREATE USER MAPPING elsewhere."))
        }
        return findings.abridged(in: database)
    }

    /// What CREATE INDEX CONCURRENTLY left when it failed. A unique one still keeps duplicates out.
    func invalidIndexes(_ session: Session) async throws(DumpError) -> [Finding] {
        let rows = try await session.query(
            """
            select format('%I.%I.%I', current_database(), n.nspname, c.relname) as object, i.indisunique as is_unique
            from pg_index i
            join pg_class c on c.oid = i.indexrelid
            join pg_class t on t.oid = i.indrelid
            join pg_namespace n on n.oid = c.relnamespace
            where not i.indisvalid and c.oid >= 16384 and t.relkind in ('r', 'm') and t.relpersistence <> 't'
                and not \(Relations.isInSystemSchema)
            order by n.nspname collate "C", c.relname collate "C"
            """)
        var findings: [Finding] = []
        for row in rows {
            let object = try row.text("object")
            findings.append(
                Finding(
                    .warning, .indexInvalid, object: object,
                    "\(try row.flag("is_unique") ? "unique index" : "index") \(object) is invalid, and not dumped",
                    hint: "REINDEX INDEX CONCURRENTLY it, or drop it."))
        }
        return findings.abridged(in: session.endpoint.database)
    }
}
