import Conformance
import DumpCore
import Linux
import SystemPackage
import TestSupport

@testable import PostgreSQL

/// A dump of the database `rich`, and questions to servers about it.
struct ComparisonFixture: Sendable {
    let cluster: ClusterFixture
    /// Where the dump is, which the servers' user may read.
    let directory: FilePath
    let dump: Manifest.DumpRecord

    /// With the database of `createRecorded`, changed by `change`, on PostgreSQL 15.
    static func with<Result>(
        _ change: String? = nil, _ body: (ComparisonFixture) async throws -> Result
    ) async throws -> Result {
        try await ClusterFixture.with { cluster in
            try await cluster.createRecorded()
            if let change { try await cluster.server.psql(change, in: "rich") }
            let directory = try cluster.newDirectory()
            let summary = try await TestRun().dump(cluster.provider { $0.include = ["rich"] }, into: directory)
            let copy = try await cluster.copied(directory)
            return try await body(
                ComparisonFixture(cluster: cluster, directory: copy, dump: Manifest.DumpRecord(summary)))
        }
    }

    var contents: DatabaseContents { dump.databases[0] }

    /// Runs `body` with a session in a database of a server of a test, as the superuser.
    static func session<Result>(
        in database: String, of server: PostgreSQLServer, _ body: (Session) async throws -> Result
    ) async throws -> Result {
        var options = try ConnectionOptions(parsing: server.connection)
        options["dbname"] = database
        let session = try await Session.connect(options, password: nil, as: UserAccount(named: PostgreSQLServer.user))
        return try await withCleanup {
            try await body(session)
        } cleanup: {
            await session.close()
        }
    }

    /// What `rich` on a server differs in from the dump.
    func examined(on server: PostgreSQLServer, major: Int = 15) async throws -> ComparisonResult {
        try await Self.session(in: "rich", of: server) { session in
            try await DatabaseComparison(contents, of: dump).examine(in: session, major: major)
        }
    }

    func differences(on server: PostgreSQLServer) async throws -> [String] {
        try await examined(on: server).comparison.differences.map { "\($0.fact) \($0.object)" }
    }

    /// The same for what belongs to the whole cluster.
    func clusterComparison(on server: PostgreSQLServer, major: Int = 15) async throws -> RestoreComparison {
        try await Self.session(in: "postgres", of: server) { session in
            try await ClusterComparison(of: dump).compare(in: session, major: major)
        }
    }

    /// Restores all of it to another cluster.
    func restore(to target: ClusterFixture, _ programs: FilePath = PostgreSQLServer.binDirectory) async throws {
        let copy = target.scratch.appending("restored")
        let copied = try await runProgram("cp", ["-a", directory.string, copy.string])
        guard copied.succeeded else { throw HostError(description: copied.lastErrors) }
        try await target.server.psqlFile(copy.appending("globals.sql"))
        try await target.restore(copy.pushing("databases/rich"), programs)
    }
}

extension Manifest.DumpRecord {
    /// A dump as a manifest has it, without what sealing adds.
    init(_ summary: DumpSummary) {
        self.init(
            name: "app", provider: "postgresql", path: "app",
            identity: Dictionary(summary.identity.map { ($0.name, $0.value) }) { first, _ in first },
            moment: summary.moment, durationSeconds: 0, bytes: 0, files: 0, findings: summary.findings,
            omissions: summary.omissions,
            checksums: Manifest.Checksums(path: "checksums/app.sha256", sha256: ""), databases: summary.databases,
            cluster: summary.cluster)
    }
}
