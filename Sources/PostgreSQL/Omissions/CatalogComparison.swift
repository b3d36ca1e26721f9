import DumpCore

/// The tables of one database, as they must be in its dump.
///
/// pg_dump decides for itself what it dumps, and ends well when it decided wrong. Comparing its table of contents with the catalog
/// shows what it left out, by the OIDs of tables, which both hold.
struct CatalogComparison: Sendable {
    struct Table: Sendable, Equatable {
        var oid: UInt32
        /// Quoted where it must be: `public.orders`.
        var name: String
        /// Whether the dump must hold its rows, or its definition alone.
        var hasRows: Bool
        /// Whether pg_dump locks it.
        var isLocked: Bool
    }

    var tables: [Table]

    /// Asks a session whose transaction has the snapshot of the dump. Rows and tables that an omission explains are left out. Those are
    /// rows of extensions, of foreign tables, and of unlogged tables on a standby, and tables in schemas of the system.
    static func ask(_ session: Session) async throws(DumpError) -> CatalogComparison {
        let rows = try await session.query(
            """
            select c.oid::bigint as oid, format('%I.%I', n.nspname, c.relname) as name,
                   c.relkind = 'r' and not c.is_absent as has_rows, c.relkind <> 'm' as is_locked
            \(Relations.ofUsers)
            where c.relkind in ('r', 'p', 'm') and not \(Relations.isInSystemSchema) and e.oid is null
                or c.relkind = 'r' and not c.is_absent and e.oid is not null and not \(Relations.isUnmarkedMember)
            order by n.nspname collate "C", c.relname collate "C"
            """)
        var tables: [Table] = []
        for row in rows {
            tables.append(
                Table(
                    oid: UInt32(truncatingIfNeeded: try row.integer("oid")), name: try row.text("name"),
                    hasRows: try row.flag("has_rows"), isLocked: try row.flag("is_locked")))
        }
        return CatalogComparison(tables: tables)
    }

    /// The first table that is not in an archive as it must be.
    func firstMissing(from archive: VerifiedArchive) -> Table? {
        tables.first { table in
            table.hasRows ? !archive.tablesWithRows.contains(table.oid) : !archive.relations.contains(table.oid)
        }
    }
}
