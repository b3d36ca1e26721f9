import DumpCore

/// A foreign key that rows break, because they were loaded while triggers were off. No restore makes the key with them unless the key
/// is `NOT VALID`.
struct BrokenForeignKey: Sendable {
    /// The constraint's.
    var oid: UInt32
    var name: String
    /// Tables, quoted where they must be: `public.orders`.
    var child: String
    var parent: String
    /// Rows without the row that they refer to, as far as they were counted.
    var orphans: Int64
}

/// To look for broken keys reads both tables, so only small ones are looked at. That happens in the snapshot of the dump, after pg_dump has
/// ended.
enum ForeignKeys {
    /// The size of all tables together that are looked at in one database.
    private static let mostBytes = 64 << 20

    /// Nothing that goes wrong here says anything of the dump.
    static func broken(in session: Session) async -> [BrokenForeignKey] {
        do throws(DumpError) {
            var broken: [BrokenForeignKey] = []
            for row in try await session.query(keys) {
                let answer = try await session.query(try row.text("question"), limit: .seconds(60))
                let orphans = try answer.first?.integer("count") ?? 0
                if orphans > 0 { broken.append(try BrokenForeignKey(row, orphans)) }
            }
            return broken
        } catch {
            return []
        }
    }

    fileprivate static let mostRows: Int64 = 1000

    /// The smallest tables, up to `mostBytes` in all. Operators of users are not run: they might do anything.
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
        select oid::bigint as oid, conname as name, child, parent,
               format(
                   'select count(*) as count from (select from only %s c where %s and not exists (select from only %s p where %s) limit %s) o',
                   child, given, parent, met, \(mostRows + 1)) as question
        from summed where total <= \(mostBytes) order by child collate "C", conname collate "C"
        """
}

extension BrokenForeignKey {
    fileprivate init(_ row: Row, _ orphans: Int64) throws(DumpError) {
        self.init(
            oid: UInt32(truncatingIfNeeded: try row.integer("oid")), name: try row.text("name"),
            child: try row.text("child"), parent: try row.text("parent"), orphans: orphans)
    }

    /// - Parameter isMarked: the dump makes the key without checking the rows.
    func finding(in database: String, isMarked: Bool) -> Finding {
        let most = ForeignKeys.mostRows
        let rows = orphans > most ? "more than \(counted(most, "row"))" : counted(orphans, "row")
        return Finding(
            .warning, "foreign_key_broken", object: "\(database).\(child).\(name)",
            "\(rows) of table \(child) of database '\(database)' without its row in \(parent), which foreign key \(name) asks for: "
                + (isMarked ? "a restore makes that key NOT VALID" : "no restore makes that key"),
            hint: isMarked
                ? "Mend the rows. In a restored database, mend them, then ALTER TABLE … VALIDATE CONSTRAINT."
                : "Mend the rows, or make the key again as NOT VALID. Without --exit-on-error, pg_restore leaves it out."
        )
    }
}
