import DumpCore

/// A session of one of our programs, as the server shows it.
struct DumpBackend: Sendable {
    var pid: Int64
    var applicationName: String
    /// What it copies, and how many bytes of that it has handed out; nil when it copies nothing, or the server does not say.
    var copy: Copy?
    var waitsForLock: Bool
    /// When its statement began, as the server writes it; nil when we may not know.
    var statementStart: String?

    struct Copy: Sendable {
        /// Without a table for `COPY (query)`.
        var table: TableID
        var bytes: Int64
    }

    /// The first version with `pg_stat_progress_copy`.
    private static let progressMajor = 14

    /// The sessions that go by these names, which hold no line break.
    static func all(
        named names: [String], in session: Session, major: Int
    ) async throws(DumpError) -> [DumpBackend] {
        let (columns, join) =
            major >= progressMajor
            ? (
                "p.relid::bigint as relid, p.bytes_processed as bytes",
                "left join pg_stat_progress_copy p on p.pid = a.pid and p.datid = a.datid"
            ) : ("null as relid, null as bytes", "")
        let rows = try await session.query(
            """
            select a.pid, a.application_name as name, a.datid::bigint as database, \(columns),
                   coalesce(a.wait_event_type = 'Lock', false) as waits_for_lock, a.query_start::text as statement_start
            from pg_stat_activity a \(join)
            where a.application_name = any (string_to_array($1, chr(10)))
            """, [names.joined(separator: "\n")], limit: .seconds(30))
        var backends: [DumpBackend] = []
        for row in rows { backends.append(try DumpBackend(row)) }
        return backends
    }

    private init(_ row: Row) throws(DumpError) {
        pid = try row.integer("pid")
        applicationName = try row.text("name")
        waitsForLock = try row.flag("waits_for_lock")
        statementStart = try row.optionalText("statement_start")
        // If we may not see into a role, the server shows that it copies and leaves out what.
        if let database = try row.optionalInteger("database"), let table = try row.optionalInteger("relid"),
            let bytes = try row.optionalInteger("bytes")
        {
            copy = Copy(table: TableID(database: database, table: table), bytes: bytes)
        }
    }

    init(
        pid: Int64, applicationName: String, copy: Copy?, waitsForLock: Bool = false, statementStart: String? = nil
    ) {
        self.pid = pid
        self.applicationName = applicationName
        self.copy = copy
        self.waitsForLock = waitsForLock
        self.statementStart = statementStart
    }
}
