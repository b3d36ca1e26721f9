import DumpCore

/// What a restored database is like.
struct RestoredDatabase: Sendable {
    var record: DatabaseRecord
    var columns: ColumnDigests
    var sequences: SequenceValues
    var rows: RowCounts

    /// Asks the questions of the dump, and counts the rows of the tables that it holds. Nothing is written and no lock stays.
    ///
    /// - Parameters:
    ///   - major: of the server.
    ///   - hasSHA256: whether the dumped server's digests are SHA-256.
    static func ask(
        _ session: Session, beside others: [Session], major: Int, hasSHA256: Bool, for contents: DatabaseContents
    ) async throws(DumpError) -> RestoredDatabase {
        let rows = try await RowCounts.ask([session] + others, for: contents.tables)
        // In no transaction: reading a sequence locks it.
        let sequences = try await SequenceValues.ask(session, within: .afterRestore)
        var recorder = DatabaseRecorder(session: session, major: major, sequences: sequences)
        recorder.patience = .afterRestore
        recorder.hasSHA256 = hasSHA256
        try await session.perform("begin isolation level repeatable read, read only")
        let answer = try await recorder.ask()
        try await session.perform("rollback")
        // Where the dumped one did not tell either, there is nothing to compare.
        guard let record = answer.record ?? (contents.record == nil ? .unknown : nil) else {
            throw DumpError(
                .sourceUnavailable, "\(session.endpoint.shown) does not tell what the restored database is like",
                hint: "Restore as a superuser, who may read every catalog.")
        }
        return RestoredDatabase(record: record, columns: answer.columns, sequences: sequences, rows: rows)
    }
}

extension DatabaseRecord {
    /// The record of a database that is not asked further.
    fileprivate static var unknown: DatabaseRecord {
        DatabaseRecord(
            encoding: "", locale: LocaleRecord(provider: "", collate: "", ctype: ""), owner: "", connectionLimit: -1,
            isTemplate: false)
    }
}
