import DumpCore

/// Rows that are in a database and not in its dump, although their table is.
extension DatabaseOmissions {
    /// pg_dump writes REFRESH in their place.
    func materializedViews(_ session: Session) async throws(DumpError) -> [Finding] {
        let row = try await session.row(
            """
            select count(*) as count, min(format('%I.%I', n.nspname, c.relname) collate "C") as first
            \(Relations.ofUsers)
            where c.relkind = 'm' and e.oid is null and not \(Relations.isInSystemSchema)
                and (select relispopulated from pg_class m where m.oid = c.oid)
            """)
        guard let first = try row.optionalText("first") else { return [] }
        let database = session.endpoint.database
        let views = counted(try row.integer("count"), "materialized view")
        return [
            Finding(
                .note, .materializedViewRows, object: database,
                "\(views) of database '\(database)' dumped without rows, first \(first): a restore computes them again",
                hint: "If one shows what its sources no longer have, copy its rows into a table.")
        ]
    }

    /// With `zero_damaged_pages`, the server sends nothing for a page that it cannot read, and pg_dump ends well.
    func damagedPages(_ session: Session) async throws(DumpError) -> [Finding] {
        let isOn = try await session.row("select current_setting('zero_damaged_pages')::bool as is_on").flag("is_on")
        guard isOn else { return [] }
        let database = session.endpoint.database
        return [
            Finding(
                .warning, .damagedPagesSkipped, object: database,
                "zero_damaged_pages is on in database '\(database)': rows of damaged pages are left out, and nothing fails",
                hint: "Turn it off for the role that dumps: ALTER ROLE … SET zero_damaged_pages = off.")
        ]
    }
}
