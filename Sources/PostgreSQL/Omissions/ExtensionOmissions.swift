import DumpCore

/// What a dump does not say about extensions. It creates each by its name, in the version and with the members that the host of the restore
/// has.
struct ExtensionOmissions: Sendable {
    func ask(_ session: Session) async throws(DumpError) -> [Finding] {
        let versions = try await self.versions(session)
        // Most databases have none, and none has members then.
        return versions.isEmpty ? [] : try await versions + changedMembers(session)
    }

    /// Those that every database has come with PostgreSQL itself.
    private func versions(_ session: Session) async throws(DumpError) -> [Finding] {
        let row = try await session.row(
            """
            select count(*) as count, string_agg(extname || ' ' || extversion, ', ' order by extname collate "C") as versions
            from pg_extension where oid >= 16384
            """)
        guard let versions = try row.optionalText("versions") else { return [] }
        let database = session.endpoint.database
        return [
            Finding(
                .note, .extensionVersion, object: database,
                "\(counted(try row.integer("count"), "extension")) of database '\(database)' dumped without version: \(versions)",
                hint: "Before a restore, install them on its host in these versions.")
        ]
    }

    private func changedMembers(_ session: Session) async throws(DumpError) -> [Finding] {
        try await session.findings(ExtensionMembers.changed) { row throws(DumpError) in
            let object = qualified(try row.text("identity"), session)
            return Finding(
                .warning, .extensionMemberChanged, object: object,
                "\(try row.text("type")) \(object) was made or changed after extension '\(try row.text("extension"))', "
                    + "which it belongs to: that is not dumped",
                hint: "Keep the statement that did it, and run it again after a restore.")
        }
    }
}

/// How changes that users made to an extension's members are told apart from those of its own scripts.
///
/// The transactions of the scripts are those that made its members and its own row. An extension's scripts did not write what a later
/// transaction wrote, since `ALTER EXTENSION … UPDATE` writes the extension's row too. A dump keeps the privileges, security labels and
/// policies of members, and nothing else (`checkExtensionMembership` in `pg_dump.c`).
private enum ExtensionMembers {
    static let changed = """
        with member as (
            select d.classid, d.objid, d.xmin as made, e.oid as extension, e.extname, e.xmin as updated
            from pg_depend d join pg_extension e on e.oid = d.refobjid
            where d.refclassid = 'pg_extension'::regclass and d.deptype = 'e' and e.oid >= 16384
        ), script as (
            select distinct extension, made::text as xid from member
            union select extension, updated::text from member
        ), part as (
            select m.*, m.classid as part_class, m.objid as part, 0 as subpart, p.xmin as written
            from member m join pg_proc p on m.classid = 'pg_proc'::regclass and p.oid = m.objid
            where p.proconfig is not null or p.proacl is not distinct from (
                select i.initprivs from pg_init_privs i
                where i.classoid = 'pg_proc'::regclass and i.objoid = p.oid and i.objsubid = 0)
            union all
            select m.*, m.classid, m.objid, 0, c.xmin
            from member m join pg_class c on m.classid = 'pg_class'::regclass and c.oid = m.objid
            where c.reloptions is not null
            union all
            select m.*, m.classid, m.objid, a.attnum, a.xmin
            from member m join pg_attribute a on m.classid = 'pg_class'::regclass and a.attrelid = m.objid
            where a.attnum > 0 and not a.attisdropped and a.attacl is null
            union all
            select m.*, d.classid, d.objid, 0, d.xmin
            from member m join pg_index i on m.classid = 'pg_class'::regclass and i.indrelid = m.objid
            join pg_depend d on d.classid = 'pg_class'::regclass and d.objid = i.indexrelid
                and d.refclassid = 'pg_class'::regclass and d.refobjid = i.indrelid
            union all
            select m.*, 'pg_constraint'::regclass, c.oid, 0, c.xmin
            from member m join pg_constraint c on m.classid = 'pg_class'::regclass and c.conrelid = m.objid
            union all
            select m.*, 'pg_trigger'::regclass, t.oid, 0, t.xmin
            from member m join pg_trigger t on m.classid = 'pg_class'::regclass and t.tgrelid = m.objid
            where not t.tgisinternal
            union all
            select m.*, case when r.rulename = '_RETURN' then m.classid else 'pg_rewrite'::regclass end,
                   case when r.rulename = '_RETURN' then m.objid else r.oid end, 0, r.xmin
            from member m join pg_rewrite r on m.classid = 'pg_class'::regclass and r.ev_class = m.objid
        ), changed as (
            select distinct extension, extname, classid, objid, part_class, part, subpart
            from part
            where age(written) < age(updated)
                and not exists (select from script s where s.extension = part.extension and s.xid = written::text)
        )
        select i.type, i.identity, c.extname as extension
        from changed c cross join lateral pg_identify_object(c.part_class, c.part, c.subpart) i
        where not exists (
            -- A cluster that pg_upgrade has made wrote all of them one by one.
            select from (select count(*) as count from member m where m.extension = c.extension) members
            where members.count > 5 and members.count < 2 * (
                select count(distinct (o.classid, o.objid)) from changed o where o.extension = c.extension)
        )
        order by c.extname collate "C", i.identity collate "C"
        """
}
