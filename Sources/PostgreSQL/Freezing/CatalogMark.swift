import DumpCore

/// What shows, at little cost, that nothing in the catalogs was written since a snapshot was taken.
///
/// The number of a later transaction is in all that it writes, and the snapshot does not know it as ended. Rows that it deletes are missing
/// from the sums. So a catalog that has neither is still as the snapshot shows it. One that has may be so too: an object may have come into
/// being, or been granted to a role.
struct CatalogMark: Sendable, Equatable {
    /// Transactions from this one on may have ended after the snapshot was taken.
    var oldest: String
    var sums: String

    /// As the session's snapshot shows it.
    static func ask(_ session: Session, major: Int) async throws(DumpError) -> CatalogMark {
        let snapshot = "\(major >= 13 ? "pg" : "txid")_snapshot_xmin(\(FreezeBarrier.visible(major)))"
        let row = try await session.row(
            "select (\(snapshot)::text::bigint % (1::bigint << 32))::text as oldest, (\(sums)) as sums")
        return CatalogMark(oldest: try row.text("oldest"), sums: try row.text("sums"))
    }

    /// Whether it holds as another session of the same database sees the catalogs.
    func holds(in session: Session) async throws(DumpError) -> Bool {
        let row = try await session.row(
            "select (\(Self.sums)) as sums, exists (\(Self.written)) as is_written", [oldest])
        guard try !row.flag("is_written") else { return false }
        return try row.text("sums") == sums
    }

    private struct Catalog {
        var name: String
        /// The column with the number of the object.
        var key = "oid"
        /// The column with the number of its schema, or a relation that has one.
        var schema: String?
        var relation: String?
        var condition = "true"

        /// Its rows, but for those of temporary objects.
        var rows: String {
            let schemas = "(select n.oid from pg_namespace n where n.nspname ~ '^pg_(toast_)?temp_')"
            let lasting =
                schema.map { "\($0) not in \(schemas)" }
                ?? relation.map {
                    "not exists (select from pg_class c where c.oid = \($0) and c.relnamespace in \(schemas))"
                }
                ?? "true"
            return "from \(name) where \(key) >= 16384 and \(condition) and \(lasting)"
        }
    }

    /// pg_attribute without its sum: rows go from it only with their relation.
    private static let catalogs = [
        Catalog(name: "pg_class", schema: "relnamespace", condition: "relkind <> 't'"),
        Catalog(name: "pg_rewrite", relation: "ev_class"),
        Catalog(name: "pg_namespace", condition: "nspname !~ '^pg_(toast_)?temp_'"),
        Catalog(name: "pg_constraint", schema: "connamespace"),
        Catalog(name: "pg_trigger", relation: "tgrelid", condition: "not tgisinternal"),
        Catalog(name: "pg_proc", schema: "pronamespace"),
        Catalog(name: "pg_type", schema: "typnamespace"),
        Catalog(name: "pg_enum"),
        Catalog(name: "pg_statistic_ext", schema: "stxnamespace"),
    ]

    private static let sums =
        "select concat_ws(' ', "
        + catalogs.map { "(select count(*) || '/' || coalesce(sum(\($0.key)::bigint), 0) \($0.rows))" }
        .joined(separator: ", ") + ")"

    private static let written =
        (catalogs + [
            Catalog(name: "pg_attribute", key: "attrelid", relation: "attrelid", condition: "attnum > 0")
        ])
        .map { "select \($0.rows) and age(\($0.name).xmin) <= age($1::xid)" }.joined(separator: " union all ")
}
