import DumpCore

/// Functions that a restore runs, as it makes indexes, checks rows or computes columns, and that find others by `search_path`.
///
/// In a restore that path is empty, as it is for every later CREATE INDEX by a server from 17 on. What a function's text refers to is
/// unknown before it runs. So this looks for names that are not qualified, and may be wrong in both directions.
struct SearchPathReliance: Sendable {
    var major: Int

    func findings(on session: Session) async throws(DumpError) -> [Finding] {
        // Most databases have none, and the question takes the server long to plan.
        let isThere = try await session.row("select exists (select from pg_proc where oid >= 16384) as is_there")
        guard try isThere.flag("is_there") else { return [] }
        var findings: [Finding] = []
        for row in try await session.query(reliant) {
            let (function, user) = (try row.text("function"), qualified(try row.text("user"), session))
            let isMember = try row.flag("is_member")
            findings.append(
                Finding(
                    .warning, "search_path_needed", object: user,
                    "\(try row.text("user_type")) \(user) calls \(function), which finds '\(try row.text("needed"))' by search_path: "
                        + "in a restore that path is empty, and it may fail there",
                    hint: isMember
                        ? "Restore with pg_restore --section=pre-data and data, ALTER FUNCTION … SET search_path = …, then --section=post-data."
                        : "Give the function a path of its own: ALTER FUNCTION … SET search_path = …."))
        }
        return findings.abridged(in: session.endpoint.database)
    }

    private var reliant: String {
        """
        with called as (
            select distinct case when r.oid is null then d.classid else 'pg_class'::regclass end as classid,
                   coalesce(r.ev_class, d.objid) as objid, p.oid as function, p.prosrc as source
            from pg_depend d
            left join pg_rewrite r on d.classid = 'pg_rewrite'::regclass and r.oid = d.objid
            join pg_proc p on d.refclassid = 'pg_proc'::regclass and p.oid = d.refobjid
            join pg_language l on l.oid = p.prolang
            where p.oid >= 16384 and l.lanname not in ('internal', 'c')\(major >= 14 ? " and p.prosqlbody is null" : "")
                and not exists (select from unnest(p.proconfig) setting where setting like 'search\\_path=%')
                and case d.classid
                    when 'pg_class'::regclass then exists (
                        select from pg_class c where c.oid = d.objid and c.relkind in ('i', 'I'))
                    when 'pg_constraint'::regclass then exists (
                        select from pg_constraint c where c.oid = d.objid and c.contype = 'c')
                    when 'pg_rewrite'::regclass then exists (
                        select from pg_class c where c.oid = r.ev_class and c.relkind = 'm')
                    \(generatedColumns)
                    else false end
        ), name as (
            select p.proname::text as name, '(^|[^."[:alnum:]_$])' as before, ' *\\(' as behind
            from pg_proc p join pg_namespace n on n.oid = p.pronamespace where \(Self.isOfUsers) and p.oid >= 16384
            union select t.typname::text, ':: *', '($|[^.[:alnum:]_$])'
            from pg_type t join pg_namespace n on n.oid = t.typnamespace where \(Self.isOfUsers) and t.oid >= 16384
            union select c.relname::text, '(from|join|into|update) +(only +)?', '($|[^.[:alnum:]_$])'
            from pg_class c join pg_namespace n on n.oid = c.relnamespace
            where \(Self.isOfUsers) and c.oid >= 16384 and c.relkind in ('r', 'p', 'v', 'm', 'f')
        )
        select u.type as user_type, u.identity as user, f.identity as function, needed.name as needed,
               exists (select from pg_depend e where e.classid = 'pg_proc'::regclass and e.objid = c.function and e.deptype = 'e')
                   as is_member
        from called c
        cross join lateral (
            select min(n.name) as name from name n
            where strpos(c.source, n.name) > 0
                and c.source ~* (n.before || regexp_replace(n.name, '([^[:alnum:]_])', '\\\\\\1', 'g') || n.behind)
        ) needed
        cross join lateral pg_identify_object(c.classid, c.objid, 0) u
        cross join lateral pg_identify_object('pg_proc'::regclass, c.function, 0) f
        where needed.name is not null
        order by u.identity collate "C", f.identity collate "C"
        """
    }

    /// Servers before 12 have none.
    private var generatedColumns: String {
        guard major >= 12 else { return "" }
        return """
            when 'pg_attrdef'::regclass then exists (
                select from pg_attrdef a join pg_attribute t on t.attrelid = a.adrelid and t.attnum = a.adnum
                where a.oid = d.objid and t.attgenerated = 's')
            """
    }

    private static let isOfUsers = "not \(Relations.isInSystemSchema)"
}
