import DumpCore

/// Rows that break a foreign key: they were loaded while triggers were off, and no restore makes the key with them.
///
/// To look for them reads both tables, so only small ones are looked at, in the snapshot of the dump and after pg_dump has ended.
struct ForeignKeys: Sendable {
    /// Of all tables together that are looked at in one database.
    private static let mostBytes = 64 << 20

    /// Nothing that goes wrong here says anything of the dump.
    static func findings(in session: Session) async -> [Finding] {
        do throws(DumpError) {
            var findings: [Finding] = []
            for row in try await session.query(keys) {
                let answer = try await session.query(try row.text("question"), limit: .seconds(60))
                let orphans = try answer.first?.integer("count") ?? 0
                if orphans > 0 { findings.append(try finding(orphans, row, session.endpoint.database)) }
            }
            return findings.abridged(in: session.endpoint.database)
        } catch {
            return []
        }
    }

    private static func finding(_ orphans: Int64, _ row: Row, _ database: String) throws(DumpError) -> Finding {
        let (key, child) = (try row.text("name"), try row.text("child"))
        let count = orphans > mostRows ? "more than \(counted(mostRows, "row"))" : counted(orphans, "row")
        return Finding(
            .warning, "foreign_key_broken", object: "\(database).\(child).\(key)",
            "\(count) of table \(child) of database '\(database)' without its row in \(try row.text("parent")), which foreign key \(key) "
                + "asks for: no restore makes that key",
            hint:
                "Mend the rows, or make the key again as NOT VALID. Without --exit-on-error, pg_restore leaves it out.")
    }

    private static let mostRows: Int64 = 1000

    /// The smallest first. Operators of users are not run: they might do anything.
    private static let keys = """
        with key as (
            select k.oid, k.conname, format('%I.%I', cn.nspname, c.relname) as child,
                   format('%I.%I', pn.nspname, p.relname) as parent, parts.*,
                   pg_relation_size(c.oid) + pg_relation_size(p.oid) as bytes
            from pg_constraint k
            join pg_class c on c.oid = k.conrelid join pg_namespace cn on cn.oid = c.relnamespace
            join pg_class p on p.oid = k.confrelid join pg_namespace pn on pn.oid = p.relnamespace
            cross join lateral (
                select string_agg(format('c.%I is not null', ca.attname), ' and ') as given,
                       string_agg(format('p.%I operator(pg_catalog.%s) c.%I', pa.attname, o.oprname, ca.attname), ' and ') as met,
                       bool_and(o.oid < 16384) as is_safe
                from unnest(k.conkey, k.confkey, k.conpfeqop) part (child, parent, operator)
                join pg_attribute ca on ca.attrelid = k.conrelid and ca.attnum = part.child
                join pg_attribute pa on pa.attrelid = k.confrelid and pa.attnum = part.parent
                join pg_operator o on o.oid = part.operator
            ) parts
            where k.contype = 'f' and k.convalidated and k.conparentid = 0 and c.relkind = 'r' and p.relkind = 'r'
                and has_table_privilege(c.oid, 'select') and has_table_privilege(p.oid, 'select')
        ), summed as (
            select *, sum(bytes) over (order by bytes, oid) as total from key where is_safe
        )
        select conname as name, child, parent,
               format(
                   'select count(*) as count from (select from only %s c where %s and not exists (select from only %s p where %s) limit %s) o',
                   child, given, parent, met, \(mostRows + 1)) as question
        from summed where total <= \(mostBytes) order by child collate "C", conname collate "C"
        """
}
