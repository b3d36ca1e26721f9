import DumpCore

extension DumpError {
    /// What a snapshot shows is not what pg_dump would find in the tables.
    ///
    /// - Parameter relations: quoted names; at least one.
    static func changedTables(_ relations: [String], of database: String) -> DumpError {
        let others = relations.count > 1 ? " and \(relations.count - 1) more" : ""
        return DumpError(
            .tablesChanged,
            "\(relations.first ?? "a table")\(others) of database '\(database)' was truncated, rewritten, renamed or dropped "
                + "after the freeze: pg_dump would not find what the snapshot shows",
            hint: "Run it when nothing does that. With 'consistency: best' the database is frozen again instead.",
            context: ["tables": relations.prefix(10).joined(separator: ", ")], isTransient: true,
            underlying: ChangedTables(names: relations))
    }
}

/// What did not stay as a snapshot shows it, by quoted names.
struct ChangedTables: Error {
    var names: [String]
}

extension DumpErrorCode {
    /// Tables of a database did not stay what they were between its snapshot and its dump.
    static let tablesChanged = DumpError.Code(rawValue: "tables_changed")
}
