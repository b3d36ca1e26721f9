import DumpCore

/// Roles that privileges are granted to or by, and that no longer exist.
///
/// DROP ROLE refuses to leave such privileges behind. A catalog that was edited, or damaged, has them. In place of the name, pg_dump writes
/// the number, and a restore stops there.
struct MissingGrantees: Sendable {
    struct Grant: Sendable {
        /// As pg_dump writes it in place of a name.
        var role: String
        var object: String
    }

    private(set) var grants: [Grant] = []

    var roles: Set<String> { Set(grants.map(\.role)) }

    static func ask(_ session: Session) async throws(DumpError) -> MissingGrantees {
        var missing = MissingGrantees()
        guard try await session.row(Self.isThere).flag("is_there") else { return missing }
        for row in try await session.query(Self.ofMissingRoles) {
            let (type, identity) = (try row.text("type"), try row.text("identity"))
            let object = "\(type) \(type == "database" ? identity : qualified(identity, session))"
            missing.grants.append(Grant(role: try row.text("role"), object: object))
        }
        return missing
    }

    /// - Parameter layout: a script cannot be mended like a table of contents.
    func omissions(in database: String, layout: PostgreSQLSettings.Layout) -> [Finding] {
        let outcome =
            layout == .databases ? "is left out of the dump" : "is in the script, whose restore fails there"
        return grants.map { grant in
            Finding(
                .warning, .grantToMissingRole, object: grant.object,
                "a privilege on \(grant.object), granted to or by role \(grant.role) which does not exist, \(outcome)",
                hint: "Nothing to do, unless you miss that role.")
        }.abridged(in: database)
    }

    /// This asks first whether there are any, because nearly no database has one. The server takes long to plan a query for what they are
    /// on.
    private static let isThere = """
        select exists (
            select from (select distinct acl from (\(privileges { $0.acl })) object) list
            cross join lateral aclexplode(acl) item cross join lateral (values (item.grantee), (item.grantor)) r (role)
            where r.role <> 0 and r.role <> all (array(select oid from pg_roles))
        ) as is_there
        """

    private static let ofMissingRoles = """
        select m.role::text as role, i.type, i.identity
        from (
            select distinct o.class, o.oid, o.part, r.role
            from (\(privileges { "\($0.acl), '\($0.kind)'::regclass as class, \($0.object) as oid, \($0.part) as part" })) o
            cross join lateral aclexplode(acl) item cross join lateral (values (item.grantee), (item.grantor)) r (role)
            where r.role <> 0 and r.role <> all (array(select oid from pg_roles))
        ) m cross join lateral pg_identify_object(m.class, m.oid, m.part) i
        order by i.identity collate "C", m.role
        """

    private static func privileges(_ columns: (Privileges) -> String) -> String {
        privileges.map { "select \(columns($0)) from \($0.catalog) where \($0.condition)" }.joined(
            separator: " union all ")
    }

    /// A catalog with a column of privileges.
    private struct Privileges {
        var catalog: String
        var column: String
        /// The catalog that identifies the objects.
        var kind: String
        var object = "oid"
        var part = "0"
        var condition: String

        var acl: String { "\(column) as acl" }

        init(_ catalog: String, _ column: String, of kind: String? = nil) {
            self.catalog = catalog
            self.column = column
            self.kind = kind ?? catalog
            condition = "\(column) is not null"
        }

        static var ofColumns: Privileges {
            var columns = Privileges("pg_attribute", "attacl", of: "pg_class")
            columns.object = "attrelid"
            columns.part = "attnum"
            return columns
        }

        static var ofDatabase: Privileges {
            var database = Privileges("pg_database", "datacl")
            database.condition += " and datname = current_database()"
            return database
        }
    }

    private static let privileges = [
        Privileges("pg_class", "relacl"), .ofColumns, Privileges("pg_proc", "proacl"),
        Privileges("pg_namespace", "nspacl"),
        Privileges("pg_type", "typacl"), Privileges("pg_language", "lanacl"),
        Privileges("pg_foreign_data_wrapper", "fdwacl"), Privileges("pg_foreign_server", "srvacl"),
        Privileges("pg_largeobject_metadata", "lomacl", of: "pg_largeobject"),
        Privileges("pg_default_acl", "defaclacl"),
        .ofDatabase,
    ]
}
