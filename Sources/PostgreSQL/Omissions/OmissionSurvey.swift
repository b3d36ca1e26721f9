import DumpCore

/// Every question about what a dump of one cluster leaves out. Answers have the severity that they have for its job.
struct OmissionSurvey: Sendable {
    var settings: PostgreSQLSettings
    var server: ServerFacts
    var selection: DatabaseSelection
    /// Nil if there is none that suits the server.
    var client: Client.Version?
    var prepared = PreparedDatabases()

    /// All of them in their order: databases, then what is in them, then the cluster.
    func all(databases: [Finding], cluster: [Finding]) -> [Finding] {
        settings.omissionPolicy.judged(selection.omissions) + databases + cluster
    }

    /// What is left out of the database that the session is connected to; in a transaction, as of its snapshot.
    func ask(_ session: Session) async throws(DumpError) -> SurveyedDatabase {
        // Before anything else: what is committed meanwhile makes the answers those of an older database.
        let visible = try await session.row("select \(FreezeBarrier.visible(server.major))::text as visible").text(
            "visible")
        let missing = try await MissingGrantees.ask(session)
        return SurveyedDatabase(
            visible: server.inRecovery ? nil : visible, missingRoles: missing.roles,
            lasting: settings.omissionPolicy.judged(try await omissions.inCatalogs(session, missing)),
            momentary: try await momentary(session))
    }

    /// The same of a database that was frozen. Prepare's questions are asked again only if anything was written since.
    func ask(_ source: FrozenDatabase) async throws(DumpError) -> SurveyedDatabase {
        let session = source.open.session
        guard var known = prepared[session.endpoint.database]?.survey, known.visible == source.visible else {
            return try await ask(session)
        }
        known.momentary = try await momentary(session)
        return known
    }

    private func momentary(_ session: Session) async throws(DumpError) -> [Finding] {
        settings.omissionPolicy.judged(try await omissions.ofTheMoment(session))
    }

    private var omissions: DatabaseOmissions {
        DatabaseOmissions(server: server, client: client, layout: settings.layout)
    }

    /// What is left out of every database.
    func askDatabases(open: [OpenDatabase], opener: SessionOpener) async throws(DumpError) -> [Finding] {
        try await askDatabases(open: open, opener: opener) { session throws(DumpError) in
            try await ask(session).omissions
        }
        .flatMap { $0 }
    }

    /// A question to every database, in sessions that are open already, and otherwise in new ones, several at once.
    func askDatabases<Answer: Sendable>(
        open: [OpenDatabase], opener: SessionOpener,
        _ question: @escaping @Sendable (Session) async throws(DumpError) -> Answer
    ) async throws(DumpError) -> [Answer] {
        // Databases that we may not connect to are findings already.
        let databases = selection.selected.filter(\.mayConnect)
        let outcomes = await opener.forEach(databases) { database in
            // By bytes: two names that Unicode calls equivalent are two databases.
            let ready = open.first { $0.database.name.utf8.elementsEqual(database.name.utf8) }
            return await Result.awaiting { () async throws(DumpError) in
                if let ready { return try await question(ready.session) }
                return try await opener.open(database).session.closing(after: question)
            }
        }
        var answers: [Answer] = []
        for outcome in outcomes { answers.append(try outcome.get()) }
        return answers
    }

    /// What is left out of the cluster as a whole.
    ///
    /// - Parameter control: a session that is in no transaction.
    func askCluster(_ control: Session) async throws(DumpError) -> [Finding] {
        let cluster = ClusterOmissions(server: server, client: client, copiesSettings: settings.copiesSettings)
        return settings.omissionPolicy.judged(try await cluster.ask(control))
    }
}

/// What a dump of one database leaves out, as far as one survey has found.
struct SurveyedDatabase: Sendable {
    /// Which transactions the survey saw as committed at least. While that stays so, no catalog has changed. Nil on a standby, whose
    /// snapshots do not name what runs.
    var visible: String?
    /// As pg_dump writes them in place of names.
    var missingRoles: Set<String>
    /// What catalogs say.
    var lasting: [Finding]
    /// What changes without a commit.
    var momentary: [Finding]

    var omissions: [Finding] { lasting + momentary }
}

extension Cluster {
    var survey: OmissionSurvey {
        OmissionSurvey(
            settings: settings, server: facts, selection: selection, client: try? client.get().version,
            prepared: prepared)
    }
}

extension PostgreSQLSettings {
    var omissionPolicy: OmissionPolicy { OmissionPolicy(allowed: allowedOmissions, isStrict: isStrict) }
}
