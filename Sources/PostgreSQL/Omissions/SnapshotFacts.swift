import DumpCore

/// What a database holds as of the snapshot that its dump is taken with.
struct SnapshotFacts: Sendable {
    var omissions: [Finding]
    /// As pg_dump writes them in place of names.
    var missingRoles: Set<String>
    var catalog: CatalogComparison
    var recorded: DatabaseRecorder.Answer

    /// Asks the session that holds the snapshot, and throws when the dump would leave out what it must not.
    static func ask(_ source: FrozenDatabase, _ survey: OmissionSurvey) async throws(DumpError) -> SnapshotFacts {
        let facts: SnapshotFacts
        do {
            let session = source.open.session
            let surveyed = try await survey.ask(source)
            facts = SnapshotFacts(
                omissions: surveyed.omissions, missingRoles: surveyed.missingRoles,
                catalog: try await CatalogComparison.ask(session),
                recorded: try await survey.recorder(of: session).ask())
        } catch {
            throw error.code == .sourceUnavailable ? error.losingSnapshot(of: source.open.database.name) : error
        }
        try survey.settings.omissionPolicy.requireAllowed(facts.omissions)
        return facts
    }
}

extension OmissionSurvey {
    fileprivate func recorder(of session: Session) -> DatabaseRecorder {
        DatabaseRecorder(
            session: session, major: server.major, sequences: prepared[session.endpoint.database]?.sequences)
    }
}

extension DumpError {
    /// An answer that did not come: without its transaction there is no snapshot.
    fileprivate func losingSnapshot(of database: String) -> DumpError {
        DumpError(
            .snapshotLost, "the snapshot of database '\(database)' is lost: \(message)",
            hint: "It was dropped during the run, or its connections were ended. Run it again.",
            context: context, isTransient: isTransient, underlying: self)
    }
}

extension DumpErrorCode {
    /// The session that held a database's snapshot ended before its dump began.
    static let snapshotLost = DumpError.Code(rawValue: "snapshot_lost")
}
