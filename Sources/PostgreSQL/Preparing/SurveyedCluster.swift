import DumpCore
import SystemPackage

/// What prepare asks every database for.
struct SurveyedCluster: Sendable {
    var omissions: [Finding]
    var findings: [Finding]
    var databases: PreparedDatabases

    /// - Parameter control: a session that is in no transaction.
    static func ask(_ cluster: Cluster, _ open: [OpenDatabase], _ control: Session) async throws(DumpError)
        -> SurveyedCluster
    {
        let survey = cluster.survey
        let condition = DatabaseCondition(server: cluster.facts)
        let answers = try await survey.askDatabases(open: open, opener: cluster.opener) { session throws(DumpError) in
            (
                database: try await PreparedDatabases.Database.ask(session, survey),
                findings: try await condition.findings(on: session)
            )
        }
        return SurveyedCluster(
            omissions: survey.all(
                databases: answers.flatMap(\.database.survey.omissions), cluster: try await survey.askCluster(control)),
            findings: answers.flatMap(\.findings), databases: PreparedDatabases(answers.map(\.database)))
    }
}

/// What a dump is compared with, as it was before the freeze.
struct PreparedDatabases: Sendable {
    struct Database: Sendable {
        var name: String
        var survey: SurveyedDatabase
        var sequences: SequenceValues

        static func ask(_ session: Session, _ survey: OmissionSurvey) async throws(DumpError) -> Database {
            Database(
                name: session.endpoint.database, survey: try await survey.ask(session),
                sequences: try await SequenceValues.ask(session))
        }
    }

    /// By bytes: two names that Unicode calls equivalent are two databases.
    private var databases: [FilePath.Component: Database] = [:]

    init(_ databases: [Database] = []) {
        for database in databases { self.databases[escapedPathComponent(database.name)] = database }
    }

    /// Nil of one that was not there yet.
    subscript(name: String) -> Database? { databases[escapedPathComponent(name)] }
}
