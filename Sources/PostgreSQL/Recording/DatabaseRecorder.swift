import DumpCore

/// Asks what a database is like, in a transaction that has its snapshot.
///
/// Nothing that is asked here may end that transaction or hold up the application. Each question runs under a savepoint, which also gives
/// back what it locked. It waits for a lock only briefly, and is given up after a few seconds. What is not answered is named in
/// `missing`.
struct DatabaseRecorder: Sendable {
    let session: Session
    /// The major version of the server.
    let major: Int
    /// As they were before the freeze: reading them here would lock them until the dump is done. Nil if they were not asked for.
    var sequences: SequenceValues?
    var patience = Patience.duringDump
    /// Whether digests are SHA-256. PostgreSQL 10 has none, and a record of it is compared by the digests that it holds.
    var hasSHA256: Bool

    init(session: Session, major: Int, sequences: SequenceValues? = nil) {
        self.session = session
        self.major = major
        self.sequences = sequences
        hasSHA256 = major >= 11
    }

    /// How long one question may take, as the server's settings have it.
    struct Patience: Sendable {
        var lock: String
        var statement: String

        static let duringDump = Patience(lock: "200ms", statement: "5s")
        /// The limits for a database that no application uses.
        static let afterRestore = Patience(lock: "60s", statement: "110s")
    }

    struct Answer: Sendable {
        /// Nil if the server refused even what a connection needs to know.
        var record: DatabaseRecord?
        var columns: ColumnDigests
    }

    /// Throws only where the session itself is lost.
    func ask() async throws(DumpError) -> Answer {
        try await session.perform(
            """
            savepoint records; set local lock_timeout to '\(patience.lock)';
            set local statement_timeout to '\(patience.statement)'; savepoint record
            """)
        let answer = try await parts()
        // The limits go with it.
        try await session.perform("rollback to savepoint records; release savepoint records")
        return answer
    }

    private func parts() async throws(DumpError) -> Answer {
        var missing: [String] = []
        guard var record = try await part("database", &missing, database) else {
            return Answer(columns: ColumnDigests())
        }
        if let settings = try await part("settings", &missing, settings) { record.settings = settings }
        if let objects = try await part("objects", &missing, objects) { record.objects = objects }
        if let indexes = try await part("invalid_indexes", &missing, invalidIndexes) { record.invalidIndexes = indexes }
        if let extensions = try await part("extensions", &missing, extensions) { record.extensions = extensions }
        if let found = try await part("subscriptions", &missing, subscriptions) { record.subscriptions = found }
        record.largeObjects = try await part("large_objects", &missing, largeObjects)
        record.constraints = try await part("constraints", &missing, constraints)
        let columns = try await part("columns", &missing, columns)
        record.columnsSHA256 = columns?.sha256
        if let found = sequences?.records { record.sequences = found } else { missing.append("sequences") }
        record.missing = missing
        return Answer(record: record, columns: columns ?? ColumnDigests())
    }

    /// Nil, and named in `missing`, if the server refuses to answer.
    func part<Value>(
        _ name: String, _ missing: inout [String], _ ask: () async throws(DumpError) -> Value
    ) async throws(DumpError) -> Value? {
        let answer: Result<Value, DumpError>
        do throws(DumpError) {
            answer = .success(try await ask())
        } catch {
            // Without an SQLSTATE the server did not refuse: the connection is lost, or we were cancelled.
            guard error.context["sqlstate"] != nil else { throw error }
            answer = .failure(error)
        }
        do {
            _ = try await session.query("rollback to savepoint record")
            return try answer.get()
        } catch {
            // A session that was ended has an SQLSTATE too.
            guard case .failure(let refusal) = answer, error.context["sqlstate"] == refusal.context["sqlstate"] else {
                throw error
            }
            missing.append(name)
            return nil
        }
    }
}

extension DatabaseRecorder.Answer {
    /// What the operator may want to know about an incomplete record.
    func findings(about database: String) -> [Finding] {
        guard record?.missing != [] else { return [] }
        let missing = record?.missing.joined(separator: ", ") ?? "everything"
        return [
            Finding(
                .note, "record_incomplete", object: database,
                "what a restore of database '\(database)' can be compared with lacks: \(missing)",
                hint:
                    "The dump itself is complete. The server refused to answer, or took too long, such as behind a lock."
            )
        ]
    }
}
