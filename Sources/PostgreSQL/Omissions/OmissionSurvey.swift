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
    func ask(_ session: Session) async throws(DumpError) -> [Finding] {
        try await ask(session, MissingGrantees.ask(session))
    }

    /// The same of a session that has answered one question already.
    func ask(_ session: Session, _ missing: MissingGrantees) async throws(DumpError) -> [Finding] {
        let omissions = DatabaseOmissions(server: server, client: client, layout: settings.layout)
        return settings.omissionPolicy.judged(try await omissions.ask(session, missing))
    }

    /// What is left out of every database.
    func askDatabases(open: [OpenDatabase], opener: SessionOpener) async throws(DumpError) -> [Finding] {
        try await askDatabases(open: open, opener: opener) { session throws(DumpError) in try await ask(session) }
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
