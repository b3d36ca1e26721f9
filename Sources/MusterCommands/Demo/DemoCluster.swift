import DumpCore
import Glibc
import Linux
import Processes
import SystemPackage

/// A throw-away PostgreSQL cluster with sample data. The server is our child and ends with us.
struct DemoCluster {
    let runner: ProgramRunner
    let socket: FilePath
    /// Whom the server runs as: PostgreSQL refuses root. nil is ourselves.
    let user: String?
    let version: String
    private let programs: FilePath
    private let data: FilePath

    init(in root: FilePath, runner: ProgramRunner) throws {
        self.runner = runner
        (programs, version) = try Self.newestServer()
        user = UserAccount.currentIsRoot ? "postgres" : nil
        let home = root.appending("postgresql")
        try FileSystem.createDirectory(home)
        if let user {
            guard let account = UserAccount(named: user) else {
                throw DemoError(message: "there is no user 'postgres'", hint: "Install PostgreSQL, which creates it.")
            }
            guard chown(home.string, account.uid, account.gid) == 0 else { throw Errno(rawValue: errno) }
        }
        socket = home
        data = home.appending("data")
    }

    /// Creates the cluster, runs the server and fills it, does `work`, and stops the server.
    func whileRunning(_ work: () async throws -> Void) async throws {
        try await run(
            "initdb", "-D", data.string, "-U", "postgres", "-E", "UTF8", "-A", user == nil ? "trust" : "peer",
            "--no-sync")
        let server = Task {
            try await runner.run(
                program(
                    "postgres",
                    [
                        "-D", data.string, "-k", socket.string, "-c", "listen_addresses=", "-c", "fsync=off", "-c",
                        "logging_collector=off",
                    ]))
        }
        do {
            try await waitUntilReady()
            try await fill()
            try await work()
        } catch {
            await stop(server)
            throw error
        }
        await stop(server)
    }

    private func stop(_ server: Task<ProgramOutcome, any Error>) async {
        server.cancel()
        // It ends by our own signal; there is nothing to learn from how.
        _ = try? await server.value
    }

    private func waitUntilReady() async throws {
        for _ in 0..<300 {
            let outcome = try await runner.run(program("pg_isready", ["-q", "-h", socket.string]))
            if outcome.succeeded { return }
            try await Task.sleep(for: .milliseconds(100))
        }
        throw DemoError(message: "the PostgreSQL server did not start within 30 s")
    }

    private func fill() async throws {
        for statement in DemoData.cluster { try await sql(statement, in: "postgres") }
        for (database, statements) in DemoData.databases {
            for statement in statements { try await sql(statement, in: database) }
        }
    }

    private func sql(_ statement: String, in database: String) async throws {
        try await run(
            "psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", socket.string, "-U", "postgres", "-d", database, "-c",
            statement)
    }

    private func run(_ name: String, _ arguments: String...) async throws {
        let outcome = try await runner.run(program(name, arguments))
        guard outcome.succeeded else {
            throw DemoError(message: "\(name) \(outcome.status)", context: ["stderr": outcome.lastErrors])
        }
    }

    private func program(_ name: String, _ arguments: [String]) -> Program {
        Program(programs.appending(name), arguments, user: user)
    }

    /// Debian keeps server programs out of PATH, one directory for each major version.
    private static func newestServer() throws -> (FilePath, String) {
        let parent: FilePath = "/usr/lib/postgresql"
        let versions = ((try? FileSystem.names(in: parent)) ?? []).compactMap { Int($0.string) }.sorted(by: >)
        for version in versions {
            let programs = parent.appending("\(version)/bin")
            if Executables.isExecutable(programs.appending("initdb")) { return (programs, "\(version)") }
        }
        if let initdb = try? Executables.find("initdb") { return (initdb.removingLastComponent(), "") }
        throw DemoError(
            message: "PostgreSQL's server programs (initdb, postgres) are not installed",
            hint: "On Debian: apt-get install postgresql.")
    }
}
