import DumpCore

/// Compares a restored database with what the manifest says of the one that was dumped.
///
/// It asks the restored one what the other was asked before its dump, so that equal databases give equal answers, whatever their versions.
/// What the manifest lacks, or the server does not answer, is in `notCompared`. Differences that a faithful restore brings do not count.
/// Those are sequences that are ahead, indexes that were not valid and that pg_dump leaves out, and foreign keys that the dump marks NOT
/// VALID.
struct DatabaseComparison: Sendable {
    let contents: DatabaseContents
    /// The major version of the dumped server. Nil if that is not known, and then taken for one that can be compared.
    let dumpedMajor: Int?
    /// Whether the dump has foreign keys NOT VALID that were valid, because rows break them (`ArchiveForeignKeys`).
    let marksForeignKeys: Bool

    /// Takes the dump's tables and record, and nothing else of its manifest.
    init(_ contents: DatabaseContents) {
        self.contents = contents
        dumpedMajor = nil
        marksForeignKeys = false
    }

    /// - Parameter dump: that the database is part of.
    init(_ contents: DatabaseContents, of dump: Manifest.DumpRecord) {
        self.contents = contents
        dumpedMajor = dump.dumpedMajor
        marksForeignKeys = dump.findings.contains { finding in
            // Where there are many, the last one is about the database.
            finding.code == "foreign_key_broken"
                && (finding.object == contents.name || finding.object.hasBytePrefix(contents.name + "."))
        }
    }

    var name: String { contents.name }

    /// Compares everything. Throws only where the server cannot be asked.
    ///
    /// - Parameters:
    ///   - session: in the restored database, in no transaction, as a role that may read all of it.
    ///   - major: of the restored server.
    func compare(in session: Session, major: Int) async throws(DumpError) -> RestoreComparison {
        try await examine(in: session, major: major).comparison
    }

    /// The same, with findings.
    ///
    /// - Parameter others: further sessions in the same database, which count rows beside the first.
    func examine(
        in session: Session, beside others: [Session] = [], major: Int
    ) async throws(DumpError) -> ComparisonResult {
        let restored = try await RestoredDatabase.ask(
            session, beside: others, major: major, hasSHA256: (dumpedMajor ?? major) >= 11, for: contents)
        var result = ComparisonResult()
        compareRows(restored, &result)
        guard let record = contents.record else {
            for fact in Self.factsOfRecord { result.leaveOut(fact) }
            return result
        }
        compareColumns(record, restored, &result)
        compareObjects(record, restored, &result)
        compareSequences(record, restored, &result)
        compareExtensions(record, restored, &result)
        compareAttributes(record, restored, &result)
        return result
    }

    private static let factsOfRecord = [
        "columns", "objects", "invalid_indexes", "constraints", "large_objects", "subscriptions", "sequences",
        "extensions",
        "encoding", "locale", "owner", "connection_limit", "is_template", "tablespace", "comment", "grants", "settings",
    ]

    /// Whether both the dumped database and the restored one have told this. What they have not is left out.
    func isKnown(
        _ fact: String, _ record: DatabaseRecord, _ restored: RestoredDatabase, _ result: inout ComparisonResult
    ) -> Bool {
        if record.missing.contains(fact) {
            result.leaveOut(fact)
            return false
        }
        if restored.record.missing.contains(fact) {
            result.leaveOut("\(fact) (the restored server did not tell)")
            return false
        }
        return true
    }
}

extension Manifest.DumpRecord {
    /// The major version of the server that was dumped; nil if the manifest does not tell.
    var dumpedMajor: Int? { major("server_version") }

    /// The same of the pg_dump that dumped it.
    var dumpingMajor: Int? { major("client_version") }

    /// The major version in `15.20` or `19beta2`.
    private func major(_ fact: String) -> Int? {
        identity[fact].flatMap { Int(String(decoding: $0.utf8.prefix { (0x30...0x39).contains($0) }, as: UTF8.self)) }
    }
}
