import DumpCore

extension Finding {
    init(
        _ severity: Severity, _ omission: OmissionCode, object: String, _ message: String, hint: String? = nil
    ) {
        self.init(severity, omission.rawValue, object: object, message, hint: hint)
    }
}

extension [Finding] {
    /// The first of many alike, and how many more there are: a schema of thousands of objects fills neither a screen nor a manifest.
    func abridged(to limit: Int = 20, in database: String) -> [Finding] {
        guard count > limit + 1, let first else { return self }
        var rest = first
        rest.object = database
        rest.message = "\(count - limit) more in database '\(database)' like those before"
        return prefix(limit) + [rest]
    }
}

extension Session {
    /// One finding for each row of an answer, without those beyond the first 20.
    func findings(
        _ statement: String, _ finding: (Row) throws(DumpError) -> Finding
    ) async throws(DumpError) -> [Finding] {
        try await query(statement).map(finding).abridged(in: endpoint.database)
    }
}

/// What `pg_identify_object` calls something, with its database: `shop.public.t`, `mine on shop.public.t`, `of shop.public.t.column`.
func qualified(_ identity: String, _ session: Session) -> String {
    let database = session.endpoint.database
    if identity.hasPrefix("for role ") { return "\(identity) of database \(database)" }
    if identity.hasPrefix("for ") { return "of \(database).\(identity.dropFirst(4))" }
    guard let on = identity.firstRange(of: " on ") else { return "\(database).\(identity)" }
    return "\(identity[..<on.upperBound])\(database).\(identity[on.upperBound...])"
}

/// `1 sequence`, `2 sequences`.
func counted(_ count: Int64, _ noun: String) -> String { "\(count) \(noun)\(count == 1 ? "" : "s")" }

extension DumpErrorCode {
    /// The dump would leave out what the job file does not allow it to.
    public static let omissionNotAllowed = DumpError.Code(rawValue: "omission_not_allowed")
}
