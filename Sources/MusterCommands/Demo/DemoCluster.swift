import DumpCore
import Linux
import PostgreSQL
import Processes
import SystemPackage

/// A throw-away PostgreSQL cluster with sample data.
struct DemoCluster {
    let server: ScratchServer
    var runner: ProgramRunner
    var version: String { server.programs.major.map { "\($0)" } ?? "" }

    init(in root: FilePath, runner: ProgramRunner) throws {
        self.runner = runner
        let home = root.appending("postgresql")
        try FileSystem.createDirectory(home)
        server = try ScratchServer(in: home, programs: ServerPrograms.find(), runner: runner)
    }

    /// Creates the cluster, runs the server and fills it, does `work`, and stops the server.
    func whileRunning(_ work: () async throws -> Void) async throws {
        try await server.createCluster()
        try await server.whileRunning {
            try await fill()
            try await work()
        }
    }

    private func fill() async throws {
        for statement in DemoData.cluster { try await sql(statement, in: "postgres") }
        for (database, statements) in DemoData.databases {
            for statement in statements { try await sql(statement, in: database) }
        }
    }

    private func sql(_ statement: String, in database: String) async throws {
        try await server.requireSuccess(
            "psql",
            [
                "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", server.directory.string, "-U", "postgres", "-d", database,
                "-c", statement,
            ])
    }
}
