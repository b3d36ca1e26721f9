import DumpCore

/// Roles that privileges are granted to or by, and that are no more.
///
/// DROP ROLE refuses to leave such privileges behind; a catalog that was edited, or damaged, has them. pg_dump writes the number in
/// place of the name, and a restore stops there.
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

    private static let ofMissingRoles = """
        with acl as (
            select 'pg_class'::regclass::oid as class, oid, 0 as part, relacl as acl from pg_class where relacl is not null
            union all select 'pg_class'::regclass, attrelid, attnum, attacl from pg_attribute where attacl is not null
            union all select 'pg_proc'::regclass, oid, 0, proacl from pg_proc where proacl is not null
            union all select 'pg_namespace'::regclass, oid, 0, nspacl from pg_namespace where nspacl is not null
            union all select 'pg_type'::regclass, oid, 0, typacl from pg_type where typacl is not null
            union all select 'pg_language'::regclass, oid, 0, lanacl from pg_language where lanacl is not null
            union all select 'pg_foreign_data_wrapper'::regclass, oid, 0, fdwacl from pg_foreign_data_wrapper
                where fdwacl is not null
            union all select 'pg_foreign_server'::regclass, oid, 0, srvacl from pg_foreign_server where srvacl is not null
            union all select 'pg_largeobject'::regclass, oid, 0, lomacl from pg_largeobject_metadata where lomacl is not null
            union all select 'pg_default_acl'::regclass, oid, 0, defaclacl from pg_default_acl
            union all select 'pg_database'::regclass, oid, 0, datacl from pg_database
                where datname = current_database() and datacl is not null
        ), gone as (
            -- Thousands of objects have the same few lists.
            select distinct r.role
            from (select distinct acl from acl) a cross join lateral (
                select grantee as role from aclexplode(a.acl) union select grantor from aclexplode(a.acl)) r
            where r.role <> 0 and not exists (select from pg_roles known where known.oid = r.role)
        ), missing as (
            select distinct a.class, a.oid, a.part, r.role
            from acl a cross join lateral (
                select grantee as role from aclexplode(a.acl) union select grantor from aclexplode(a.acl)) r
            where exists (select from gone) and r.role in (select role from gone)
        )
        select m.role::text as role, i.type, i.identity
        from missing m cross join lateral pg_identify_object(m.class, m.oid, m.part) i
        order by i.identity collate "C", m.role
        """
}
