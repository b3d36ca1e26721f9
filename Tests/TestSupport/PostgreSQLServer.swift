import DumpCore
import Glibc
import Linux
import Logging
import PostgreSQL
import Processes
import SystemPackage
import Testing

/// A PostgreSQL server of a test's own, on a socket in its own directory, run as the user `postgres`.
///
/// The system user `postgres` gets in as the superuser `postgres` by peer authentication; every other role needs its password
/// (SCRAM-SHA-256). Its data is in memory. The server ends with the test, and with the test process, however that ends.
public final class PostgreSQLServer: Sendable {
    public static let user = "postgres"
    private static let newest: ServerPrograms = {
        guard let newest = ServerPrograms.installed().first else { fatalError("install postgresql") }
        return newest
    }()
    public static let binDirectory = newest.directory

    private let server: ScratchServer

    /// Holds the socket and the data; every user may pass through.
    public var directory: FilePath { server.directory }

    /// As libpq takes it: the superuser, who must be asked for as the system user `postgres`.
    public var connection: String { connection(as: Self.user) }
    public func connection(as role: String) -> String { "host=\(directory) user=\(role)" }

    /// A server for as long as `body` runs.
    ///
    /// - Parameters:
    ///   - template: what is in it.
    ///   - settings: lines for `postgresql.auto.conf`, the last word on every setting.
    public static func with<Result>(
        in scratch: FilePath, template: Template = .emptyCluster, settings: [String] = [],
        _ body: (PostgreSQLServer) async throws -> Result
    ) async throws -> Result {
        try await Turn.take {
            let directory = scratch.appending("pg")
            try FileSystem.createDirectory(directory)
            return try await withMemoryFileSystem(kibibytes: 2 << 20, mode: "0755", at: directory) {
                try await PostgreSQLServer(in: directory, settings: settings) { server in
                    try await template.unpack(to: server.data)
                }.running(body)
            }
        }
    }

    /// A streaming standby of this server, on a socket of its own, for as long as `body` runs.
    ///
    /// - Parameter settings: lines for its `postgresql.auto.conf`.
    public func withStandby<Result>(
        in scratch: FilePath, settings: [String] = [], _ body: (PostgreSQLServer) async throws -> Result
    ) async throws -> Result {
        let directory = scratch.appending("pg-standby")
        try FileSystem.createDirectory(directory)
        return try await withMemoryFileSystem(kibibytes: 2 << 20, mode: "0755", at: directory) {
            try await PostgreSQLServer(in: directory, settings: settings) { standby in
                try await standby.requireSuccess(
                    "pg_basebackup",
                    [
                        "-h", self.directory.string, "-U", Self.user, "-D", standby.data.string, "-R", "-c", "fast",
                        "--no-sync",
                    ])
            }.running(body)
        }
    }

    /// A server of PostgreSQL 18, whose programs `.ci/postgresql18` has installed, for as long as `body` runs. Its user reaches
    /// them at the path that `body` is given.
    public static func with18<Result>(
        in scratch: FilePath, _ body: (_ server: PostgreSQLServer, _ programs: FilePath) async throws -> Result
    ) async throws -> Result {
        try await Turn.take {
            let directory = scratch.appending("pg")
            try FileSystem.createDirectory(directory)
            return try await withMemoryFileSystem(kibibytes: 2 << 20, mode: "0755", at: directory) {
                let programs = try await copyPrograms18(to: directory)
                let server = try await PostgreSQLServer(
                    in: directory, programs: ServerPrograms(in: programs), fill: createCluster)
                return try await server.running { try await body($0, programs) }
            }
        }
    }

    /// The user postgres may not be able to reach where they were installed. Returns where the programs are now.
    private static func copyPrograms18(to directory: FilePath) async throws -> FilePath {
        let root = FilePath(#filePath).removingLastComponent().removingLastComponent().removingLastComponent()
        let outcome = try await runProgram("\(root)/.ci/postgresql18", [])
        precondition(outcome.succeeded, outcome.lastErrors)
        // …/site-packages/NAME/pginstall/bin, which needs its libraries in …/site-packages/NAME.libs.
        let package = FilePath(String(decoding: outcome.output, as: UTF8.self).split(separator: "\n").joined())
            .removingLastComponent().removingLastComponent()
        let copied = try await runProgram("cp", ["-a", package.string, "\(package).libs", directory.string])
        precondition(copied.succeeded, copied.lastErrors)
        return directory.appending(package.lastComponent!).appending("pginstall/bin")
    }

    fileprivate static func createCluster(of server: ScratchServer) async throws {
        // Each server gets a copy of it all: with WAL in segments of the default size that is two thirds more.
        try await server.createCluster(["--locale=C.UTF-8", "--wal-segsize=1"])
        try server.configure([
            "shared_buffers = 16MB", "max_connections = 40", "autovacuum = off", "wal_keep_size = 64MB",
        ])
        let authentication = """
            local all,replication postgres peer
            local all,replication all scram-sha-256

            """
        try write(authentication, to: server.data.appending("pg_hba.conf"))
    }

    /// Gives a directory to the user that servers run as.
    public static func own(_ directory: FilePath) throws {
        guard chown(directory.string, UserAccount(named: user)!.uid, UInt32.max) == 0 else {
            throw Errno(rawValue: errno)
        }
    }

    fileprivate init(
        in directory: FilePath, settings: [String] = [], programs: ServerPrograms = newest,
        fill: (ScratchServer) async throws -> Void
    ) async throws {
        server = try ScratchServer(in: directory, programs: programs, user: Self.user, runner: Self.runner)
        try await fill(server)
        try server.configure(settings)
    }

    fileprivate func running<Result>(
        ending: ScratchServer.Shutdown = .immediate, _ body: (PostgreSQLServer) async throws -> Result
    ) async throws -> Result {
        try await server.whileRunning(ending: ending) { try await body(self) }
    }

    /// Makes a template of a cluster that was shut down. What is left of its WAL would be a fifth of each copy.
    fileprivate func pack() async throws {
        try await server.requireSuccess("pg_resetwal", ["-D", server.data.string])
        try await Template.pack(server.data)
    }

    public func start() async throws { try await server.start() }

    /// Disconnects everyone and shuts down. Nothing happens if it is stopped already.
    public func stop(_ shutdown: ScratchServer.Shutdown = .fast) async throws { try await server.stop(shutdown) }

    /// What one or more statements return as the superuser, without heading; columns are separated by `|`.
    @discardableResult
    public func psql(_ statements: String, in database: String = "postgres") async throws -> String {
        let output = try await psql(each: [statements], in: database)
        return output.hasSuffix("\n") ? String(output.dropLast()) : output
    }

    /// Runs statements in one session, each in a transaction of its own, as the superuser.
    public func run(_ statements: String, in database: String) async throws {
        _ = try await psql(each: statements.split(separator: ";\n").map(String.init), in: database)
    }

    private func psql(each statements: [String], in database: String) async throws -> String {
        let quoted = String(database.flatMap { $0 == "'" || $0 == "\\" ? ["\\", $0] : [$0] })
        return try await Self.run(
            "psql",
            ["-XAtq", "-v", "ON_ERROR_STOP=1", "-d", "host='\(directory)' dbname='\(quoted)'"]
                + statements.flatMap { ["-c", $0] })
    }

    /// Runs one of the server's programs as its user, to a good end, and returns what it printed.
    @discardableResult
    public static func run(
        _ name: String, _ arguments: [String], in programs: FilePath = binDirectory
    ) async throws -> String {
        let outcome = try await runner.run(
            program(name, arguments, in: programs), output: .collect(limit: 1 << 24))
        guard outcome.succeeded else {
            throw DumpError(.programFailed, "\(name) \(outcome.status): \(outcome.lastErrors)")
        }
        return String(decoding: outcome.output, as: UTF8.self)
    }

    private static let runner = ProgramRunner(keeper: keeperExecutable, log: .silent)

    private static func program(
        _ name: String, _ arguments: [String], in programs: FilePath = binDirectory
    ) -> Program {
        Program(programs.appending(name), arguments, user: user)
    }
}

extension Template {
    /// A cluster as initdb leaves it, without most of what each `pg_dump` reads and passes over: descriptions and collations of the system's.
    public static let emptyCluster = Template { directory in
        let server = try await PostgreSQLServer(in: directory, fill: PostgreSQLServer.createCluster)
        try await server.running(ending: .fast) { server in
            try await server.psql("ALTER DATABASE template0 ALLOW_CONNECTIONS true")
            for database in ["template0", "template1", "postgres"] {
                try await server.run(
                    """
                    DELETE FROM pg_description WHERE classoid NOT IN ('pg_namespace'::regclass, 'pg_extension'::regclass);
                    DELETE FROM pg_collation WHERE collprovider = 'i';
                    VACUUM FULL pg_description;
                    VACUUM FULL pg_collation
                    """, in: database)
            }
            try await server.psql("ALTER DATABASE template0 ALLOW_CONNECTIONS false")
        }
        try await server.pack()
    }

    /// A cluster with what `statements` make in its databases, in their order.
    public static func cluster(_ statements: [(database: String, statements: String)]) -> Template {
        Template { directory in
            let server = try await PostgreSQLServer(in: directory) { try await emptyCluster.unpack(to: $0.data) }
            try await server.running(ending: .fast) { server in
                for (database, statements) in statements { try await server.run(statements, in: database) }
            }
            try await server.pack()
        }
    }
}
