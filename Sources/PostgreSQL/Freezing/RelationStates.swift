import DumpCore

/// What a snapshot does not keep still: which table bears a name, which file holds its rows, what its columns are called.
///
/// TRUNCATE and the rewriting forms of ALTER TABLE put a new file in the place of the old one, in which an older snapshot sees
/// no row at all (PostgreSQL's manual, "MVCC Caveats"). pg_dump asks its snapshot for the names of tables and columns, and the
/// server finds them by what they are called by then: of two tables that swapped names, it copies the wrong one.
enum RelationStates {
    /// One text for all relations that pg_dump writes, the same as long as none of them has changed.
    static func digest(_ session: Session) async throws(DumpError) -> String {
        try await session.row(
            """
            select coalesce(md5(string_agg(concat_ws(' ', oid, name, state), chr(10) order by oid)), '') as digest
            from (\(states)) s
            """
        ).text("digest")
    }

    static func all(_ session: Session) async throws(DumpError) -> [State] {
        var states: [State] = []
        for row in try await session.query(Self.states) {
            states.append(
                State(oid: try row.integer("oid"), name: try row.text("name"), state: try row.text("state")))
        }
        return states
    }

    struct State: Sendable, Equatable {
        var oid: Int64
        /// Quoted where it must be: `public.orders`.
        var name: String
        var state: String
    }

    /// Names of relations of an earlier time that have not stayed what they were. A new relation is no change.
    static func changes(from earlier: [State], to later: [State]) -> [String] {
        let now = Dictionary(later.map { ($0.oid, $0) }) { first, _ in first }
        return earlier.filter { now[$0.oid] != $0 }.map(\.name)
    }

    /// Tables and sequences have a file of their own that pg_dump reads; a materialized view's it does not. A view is
    /// as its rules are: `xmin` is another one once they were replaced. Subqueries, not joins: the planner takes catalogs that were never
    /// analyzed for small, and compares each table with each.
    private static let states = """
        select c.oid::bigint as oid, format('%I.%I', n.nspname, c.relname) as name,
               concat_ws(
                   ' ', case when c.relkind in ('r', 'S') then s.relfilenode end,
                   (select md5(string_agg(concat_ws(' ', attnum, attname, atttypid), chr(10) order by attnum))
                    from pg_attribute where attrelid = c.oid and attnum > 0 and not attisdropped),
                   (select string_agg(xmin::text, ' ' order by oid) from pg_rewrite where ev_class = c.oid)
               ) as state
        \(Relations.ofUsers)
        join pg_class s on s.oid = c.oid
        where c.relkind in ('r', 'p', 'S', 'v', 'm', 'f') and not \(Relations.isInSystemSchema)
        """
}
