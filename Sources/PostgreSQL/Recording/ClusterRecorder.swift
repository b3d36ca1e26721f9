import DumpCore

/// Asks what belongs to a whole cluster. The session is in no transaction, so that a question that is refused spoils no other.
struct ClusterRecorder: Sendable {
    let session: Session

    func ask() async throws(DumpError) -> ClusterRecord {
        var missing: [String] = []
        var record = ClusterRecord()
        record.bootstrapRole = try await part("bootstrap_role", &missing, bootstrapRole)
        record.roles = try await part("roles", &missing, roles) ?? []
        record.memberships = try await part("memberships", &missing, memberships) ?? []
        record.settings = try await part("settings", &missing, settings) ?? []
        record.tablespaces = try await part("tablespaces", &missing, tablespaces) ?? []
        record.preloadLibraries = try await part("preload_libraries", &missing, preloadLibraries) ?? [:]
        record.missing = missing
        return record
    }

    private func part<Value>(
        _ name: String, _ missing: inout [String], _ ask: () async throws(DumpError) -> Value
    ) async throws(DumpError) -> Value? {
        do throws(DumpError) {
            return try await ask()
        } catch {
            // Without an SQLSTATE, or with a transient one, the server did not refuse this.
            guard error.context["sqlstate"] != nil, !error.isTransient else { throw error }
            missing.append(name)
            return nil
        }
    }

    /// Its OID is the same everywhere (`BOOTSTRAP_SUPERUSERID` in `pg_authid.dat`).
    private func bootstrapRole() async throws(DumpError) -> String {
        try await session.row("select rolname as name from pg_roles where oid = 10").text("name")
    }

    private func roles() async throws(DumpError) -> [RoleRecord] {
        let rows = try await session.query(
            """
            select rolname as name, rolconnlimit as connection_limit,
                   to_char(rolvaliduntil at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') as valid_until,
                   shobj_description(oid, 'pg_authid') as comment,
                   concat_ws(' ', case when rolbypassrls then 'bypassrls' end, case when rolcreatedb then 'createdb' end,
                       case when rolcreaterole then 'createrole' end, case when rolinherit then 'inherit' end,
                       case when rolcanlogin then 'login' end, case when rolreplication then 'replication' end,
                       case when rolsuper then 'superuser' end) as attributes
            from pg_roles where rolname !~ '^pg_' order by rolname collate "C"
            """)
        return try rows.map { row throws(DumpError) in
            RoleRecord(
                name: try row.text("name"), attributes: try row.words("attributes"),
                connectionLimit: try row.integer("connection_limit"), validUntil: try row.optionalText("valid_until"),
                comment: try row.optionalText("comment"))
        }
    }

    /// Without those among the roles that come with PostgreSQL.
    private func memberships() async throws(DumpError) -> [MembershipRecord] {
        let rows = try await session.query(
            """
            select pg_get_userbyid(roleid) as role, pg_get_userbyid(member) as member,
                   pg_get_userbyid(nullif(grantor, 0)) as grantor,
                   concat_ws(' ', case when admin_option then 'admin' end,
                       case when to_jsonb(m) ->> 'inherit_option' = 'true' then 'inherit' end,
                       case when to_jsonb(m) ->> 'set_option' = 'true' then 'set' end) as options
            from pg_auth_members m where member >= 16384 or roleid >= 16384
            order by pg_get_userbyid(roleid) collate "C", pg_get_userbyid(member) collate "C",
                pg_get_userbyid(nullif(grantor, 0)) collate "C"
            """)
        return try rows.map { row throws(DumpError) in
            MembershipRecord(
                role: try row.text("role"), member: try row.text("member"), grantor: try row.optionalText("grantor"),
                options: try row.words("options"))
        }
    }

    private func settings() async throws(DumpError) -> [SettingRecord] {
        try await session.settings(of: "setdatabase = 0")
    }

    private func tablespaces() async throws(DumpError) -> [TablespaceRecord] {
        let rows = try await session.query(
            """
            select spcname as name, pg_get_userbyid(spcowner) as owner, pg_tablespace_location(oid) as location,
                   shobj_description(oid, 'pg_tablespace') as comment,
                   array_to_string(spcoptions, ' ') as options, spcacl is not null as has_grants
            from pg_tablespace where oid >= 16384 order by spcname collate "C"
            """)
        var found: [TablespaceRecord] = []
        for row in rows {
            let name = try row.text("name")
            found.append(
                TablespaceRecord(
                    name: name, owner: try row.text("owner"), location: try row.text("location"),
                    options: try row.optionalText("options") == nil ? [] : try row.words("options"),
                    grants: try row.flag("has_grants") ? try await grants(onTablespace: name) : nil,
                    comment: try row.optionalText("comment")))
        }
        return found
    }

    private func grants(onTablespace name: String) async throws(DumpError) -> [String] {
        try await session.query(
            """
            select item::text as item from pg_tablespace, unnest(spcacl) item where spcname = $1
            order by item::text collate "C"
            """, [name]
        ).map { row throws(DumpError) in try row.text("item") }
    }

    /// Who may not see one sees no row of it.
    private func preloadLibraries() async throws(DumpError) -> [String: String] {
        let rows = try await session.query("select name, setting from pg_settings where name ~ 'preload_libraries$'")
        var libraries: [String: String] = [:]
        for row in rows { libraries[try row.text("name")] = try row.text("setting") }
        return libraries
    }
}

extension Row {
    /// What is separated by single spaces.
    fileprivate func words(_ column: String) throws(DumpError) -> [String] {
        try text(column).utf8.split(separator: UInt8(ascii: " ")).map { String(Substring($0)) }
    }
}
