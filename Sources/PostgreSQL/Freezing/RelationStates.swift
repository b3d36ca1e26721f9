import DumpCore

/// What a snapshot does not keep still: which object bears a name, which file holds a table's rows, how the server spells a definition.
///
/// TRUNCATE and the rewriting forms of ALTER TABLE put a new file in the place of the old one. An older snapshot sees no row at all in it
/// (PostgreSQL's manual, "MVCC Caveats"). From its snapshot, pg_dump takes names and numbers, and the server then looks up what they stand
/// for by then. If two tables swapped names, pg_dump copies the wrong one. If an index was dropped, pg_dump gets no definition and does not
/// notice (`pg_get_indexdef` and its like in `ruleutils.c`).
enum RelationStates {
    struct State: Sendable, Equatable {
        /// The catalog and the number in it.
        var object: String
        /// Quoted where it must be: `public.orders`, `index public.by_name`.
        var name: String
        var state: String
    }

    static func all(_ session: Session) async throws(DumpError) -> [State] {
        try await session.query(Self.states).map { row throws(DumpError) in
            State(object: try row.text("object"), name: try row.text("name"), state: try row.text("state"))
        }
    }

    /// Names of objects of an earlier time that have not stayed what they were. A new object is not a change.
    static func changes(from earlier: [State], to later: [State]) -> [String] {
        let now = Dictionary(later.map { ($0.object, $0) }) { first, _ in first }
        return earlier.filter { now[$0.object] != $0 }.map(\.name)
    }

    /// Tables and sequences have a file of their own that pg_dump reads; a materialized view's it does not. A view is
    /// as its rules are: `xmin` is another one once they were replaced. Indexes, constraints and the rest need only be there under their
    /// names; a constraint that was checked meanwhile may not suit the older rows. Subqueries, not joins: the planner takes catalogs that
    /// were never analyzed for small, and compares each table with each.
    private static let states = """
        select 'pg_class ' || c.oid as object, format('%I.%I', n.nspname, c.relname) as name,
               concat_ws(
                   ' ', case when c.relkind in ('r', 'S') then s.relfilenode end,
                   (select md5(string_agg(concat_ws(' ', attnum, attname, atttypid), chr(10) order by attnum))
                    from pg_attribute where attrelid = c.oid and attnum > 0 and not attisdropped),
                   (select string_agg(xmin::text, ' ' order by oid) from pg_rewrite where ev_class = c.oid)
               ) as state
        \(Relations.ofUsers)
        join pg_class s on s.oid = c.oid
        where c.relkind in ('r', 'p', 'S', 'v', 'm', 'f', 'c') and not \(Relations.isInSystemSchema)
        union all
        select found.object, format('%s %I.%I', found.kind, n.nspname, found.name), found.state
        from (
            select 'pg_class ' || oid as object, 'index' as kind, relnamespace as schema, relname as name, '' as state
            from pg_class where oid >= 16384 and relkind in ('i', 'I') and relpersistence <> 't'
            union all
            select 'pg_constraint ' || oid, 'constraint', connamespace, conname, convalidated::text
            from pg_constraint where oid >= 16384
            union all
            select 'pg_trigger ' || t.oid, 'trigger', c.relnamespace, t.tgname, ''
            from pg_trigger t join pg_class c on c.oid = t.tgrelid where t.oid >= 16384 and not t.tgisinternal
            union all
            select 'pg_proc ' || oid, 'function', pronamespace, proname, '' from pg_proc where oid >= 16384
            union all
            select 'pg_type ' || oid, 'type', typnamespace, typname, ''
            from pg_type where oid >= 16384 and typtype in ('b', 'd', 'e', 'r') and typcategory <> 'A'
            union all
            select 'pg_enum ' || l.oid, 'value of type', t.typnamespace, t.typname, l.enumlabel
            from pg_enum l join pg_type t on t.oid = l.enumtypid where l.oid >= 16384
            union all
            select 'pg_statistic_ext ' || oid, 'statistics', stxnamespace, stxname, ''
            from pg_statistic_ext where oid >= 16384
        ) found
        join pg_namespace n on n.oid = found.schema
        where not \(Relations.isInSystemSchema)
        """
}
