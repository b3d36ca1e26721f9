import DumpCore

/// What a server says of itself and of the role we are.
struct ServerFacts: Sendable {
    /// As the server spells it, such as `15.20`.
    var version: String
    var major: Int
    /// The same for a primary and its standbys, and for no other cluster.
    var systemIdentifier: String
    var inRecovery: Bool
    var role: Role
    /// Nil where scripts of pg_dumpall have to keep what they say of it.
    var bootstrapRole: BootstrapRole
    var settingsOfAllRoles = SettingsOfAllRoles(statements: [])
    /// In the order of their names.
    var databases: [Database]

    struct Role: Sendable {
        var name: String
        var isSuperuser: Bool
        /// Whether it may read every table: a superuser, or a member of `pg_read_all_data` (14 and newer).
        var readsAllData: Bool
        /// Whether it may read the hashes of passwords in `pg_authid`.
        var readsPasswords: Bool
        /// Whether it may choose the language of the server's messages as it connects.
        var maySetLanguage = false
        /// The role that the operator has it act as by `SET role`, or `none`.
        var assumed = "none"
    }

    struct Database: Sendable, Hashable {
        /// Stays when the database is renamed, and never comes back once it is dropped.
        var oid: Int64
        var name: String
        /// On the server's disk, with indexes; nil if we may not know.
        var bytes: Int64?
        var allowsConnections: Bool
        /// Left behind half-dropped, see `datconnlimit` in `pg_database`. Can only be dropped.
        var isInvalid: Bool
        /// Whether our role has the privilege CONNECT.
        var mayConnect: Bool
        /// As the server calls it, such as `UTF8`.
        var encoding = ""
    }

    /// The oldest server that this asks its questions of.
    private static let oldestMajor = 10

    static func ask(_ session: Session) async throws(DumpError) -> ServerFacts {
        let version = try await session.row(
            """
            select split_part(current_setting('server_version'), ' ', 1) as version,
                   current_setting('server_version_num')::int / 10000 as major
            """)
        guard try version.integer("major") >= oldestMajor else {
            throw DumpError(
                .sourceUnavailable, "PostgreSQL \(try version.text("version")) is older than \(oldestMajor)",
                hint: "Upgrade the server: Muster cannot dump it.")
        }
        let facts = try await session.row(
            """
            select (select system_identifier from pg_control_system()) as system_identifier,
                   pg_is_in_recovery() as in_recovery,
                   current_user as role,
                   rolsuper as is_superuser,
                   rolsuper or exists (
                       select from pg_roles where rolname = 'pg_read_all_data' and pg_has_role(oid, 'usage')
                   ) as reads_all_data,
                   has_table_privilege('pg_authid', 'select') as reads_passwords,
                   (select rolsuper from pg_roles where rolname = session_user) as may_set_language,
                   current_setting('role') as assumed
            from pg_roles where rolname = current_user
            """)
        return ServerFacts(
            version: try version.text("version"), major: Int(try version.integer("major")),
            systemIdentifier: try facts.text("system_identifier"), inRecovery: try facts.flag("in_recovery"),
            role: Role(
                name: try facts.text("role"), isSuperuser: try facts.flag("is_superuser"),
                readsAllData: try facts.flag("reads_all_data"), readsPasswords: try facts.flag("reads_passwords"),
                maySetLanguage: try facts.flag("may_set_language"), assumed: try facts.text("assumed")),
            bootstrapRole: try await BootstrapRole.ask(session),
            settingsOfAllRoles: try await SettingsOfAllRoles.ask(session), databases: try await databases(session))
    }

    /// Whether every database of `earlier` is still there, and called the same.
    func hasAll(of earlier: ServerFacts) -> Bool {
        let now = Dictionary(databases.map { ($0.oid, $0.name) }) { first, _ in first }
        return earlier.databases.allSatisfy { now[$0.oid] == $0.name }
    }

    /// SQLSTATEs of a database that is dropped while its size is taken: undefined, or its directory is gone.
    private static let droppedMeanwhile: Set<String?> = ["3D000", "42704", "58P01"]

    private static func databases(_ session: Session) async throws(DumpError) -> [Database] {
        for _ in 0..<3 {
            do {
                return try await listedDatabases(session)
            } catch  where droppedMeanwhile.contains(error.context["sqlstate"]) {}
        }
        return try await listedDatabases(session)
    }

    private static func listedDatabases(_ session: Session) async throws(DumpError) -> [Database] {
        // `-2` stands for a DROP DATABASE that was interrupted; servers that do not write it never show it.
        let rows = try await session.query(
            """
            select d.oid::bigint as oid, d.datname as name,
                   d.datallowconn as allows_connections,
                   d.datconnlimit = -2 as is_invalid,
                   has_database_privilege(d.oid, 'connect') as may_connect,
                   pg_encoding_to_char(d.encoding) as encoding,
                   case when has_database_privilege(d.oid, 'connect')
                          or pg_has_role((select oid from pg_roles where rolname = 'pg_read_all_stats'), 'usage')
                        then pg_database_size(d.oid) end as bytes
            from pg_database d order by d.datname collate "C"
            """)
        var databases: [Database] = []
        for row in rows {
            databases.append(
                Database(
                    oid: try row.integer("oid"), name: try row.text("name"), bytes: try row.optionalInteger("bytes"),
                    allowsConnections: try row.flag("allows_connections"), isInvalid: try row.flag("is_invalid"),
                    mayConnect: try row.flag("may_connect"), encoding: try row.text("encoding")))
        }
        return databases
    }
}
