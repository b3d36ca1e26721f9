import DumpCore

/// A table of a cluster: the same in every answer of the server, unlike its name.
struct TableID: Sendable, Hashable {
    /// Object ids, of the database and of the table in it.
    var database: Int64
    var table: Int64
}

/// A table as an operator knows it, and what its rows take on the server's disk, without indexes and without rows that are dead.
struct TableSize: Sendable {
    /// Such as `public.orders`.
    var name: String
    var bytes: Int64

    /// Every table with rows of its own in the session's database, and the large objects.
    ///
    /// How many rows are dead is what the server's statistics say; where they say nothing, none is.
    ///
    /// Waits for no lock that a table is under: `pg_table_size` would, so such a table counts as `relpages` has it.
    static func all(in session: Session) async throws(DumpError) -> [TableID: TableSize] {
        _ = try await session.query("select set_config('lock_timeout', '1s', false)")
        let rows = try await session.query(
            """
            select d.oid::bigint as database, c.oid::bigint as id, n.nspname || '.' || c.relname as name,
                   round(case when locked.relation is null then coalesce(pg_table_size(c.oid), 0)
                         else greatest(c.relpages, 0)::bigint * current_setting('block_size')::bigint end
                       * case when pg_stat_get_dead_tuples(c.oid) > 0
                         then pg_stat_get_live_tuples(c.oid)::numeric
                             / (pg_stat_get_live_tuples(c.oid) + pg_stat_get_dead_tuples(c.oid))
                         else 1 end)::bigint as bytes
            from pg_class c
            join pg_namespace n on n.oid = c.relnamespace
            join pg_database d on d.datname = current_database()
            left join (select distinct database, relation from pg_locks where mode = 'AccessExclusiveLock') locked
                on locked.database = d.oid and locked.relation = c.oid
            where c.relkind = 'r' and c.relpersistence <> 't'
              and (n.nspname <> 'information_schema' and n.nspname !~ '^pg_' or c.oid = 'pg_largeobject'::regclass)
            """, limit: .seconds(30))
        var sizes: [TableID: TableSize] = [:]
        for row in rows {
            let id = TableID(database: try row.integer("database"), table: try row.integer("id"))
            sizes[id] = TableSize(name: try row.text("name"), bytes: try row.integer("bytes"))
        }
        return sizes
    }
}
