import DumpCore
import Glibc
import Linux
import Processes
import Synchronization
import SystemPackage
import Testing

/// A MariaDB server of a test's own, on a socket in its own directory, run as the user `mysql`. Root gets in by the socket.
///
/// It writes a binary log. Its data is in memory. It ends with the test, and with the test process, however that ends.
public final class MariaDBServer: Sendable {
    public static let user = "mysql"

    public let directory: FilePath
    private let running = Mutex<Task<Void, any Error>?>(nil)

    public var socket: FilePath { directory.appending("s") }
    private var data: FilePath { directory.appending("data") }

    /// A server for as long as `body` runs.
    ///
    /// - Parameter template: what is in it.
    public static func with<Result>(
        in scratch: FilePath, template: Template = .emptyMariaDB, _ body: (MariaDBServer) async throws -> Result
    ) async throws -> Result {
        try await Turn.take {
            let directory = scratch.appending("mariadb")
            try FileSystem.createDirectory(directory)
            return try await withMemoryFileSystem(kibibytes: 2 << 20, mode: "0755", at: directory) {
                try own(directory)
                try await template.unpack(to: directory.appending("data"))
                let server = MariaDBServer(in: directory)
                return try await withCleanup { cleanup in
                    cleanup.append { await server.stop() }
                    try await server.start()
                    return try await body(server)
                }
            }
        }
    }

    fileprivate static func own(_ directory: FilePath) throws {
        guard let account = UserAccount(named: user), chown(directory.string, account.uid, account.gid) == 0 else {
            throw Errno(rawValue: errno)
        }
    }

    fileprivate init(in directory: FilePath) { self.directory = directory }

    fileprivate func start() async throws {
        let runner = ProgramRunner(keeper: keeperExecutable, log: .silent)
        let program = try self.program
        let server = Task { _ = try await runner.run(program) }
        running.withLock { $0 = server }
        // It makes its socket at the end of its start. Each client that asks before takes its time from it.
        try await eventually { access(self.socket.string, F_OK) == 0 }
        try await eventually { (try? await self.sql("SELECT 1")) != nil }
    }

    /// What it has is thrown away: it gets no time to end.
    private var program: Program {
        get throws {
            Program(
                try Executables.find("mariadbd"),
                [
                    "--no-defaults", "--datadir=\(data)", "--tmpdir=\(directory)", "--socket=\(socket)",
                    "--skip-networking",
                    "--log-bin=log",
                    "--server-id=7",
                    "--binlog-format=ROW", "--innodb-flush-log-at-trx-commit=0", "--innodb-use-native-aio=0",
                    "--innodb-flush-method=fsync",
                    "--innodb-buffer-pool-size=64M", logSize, "--event-scheduler=OFF", "--skip-name-resolve",
                ], user: Self.user, workingDirectory: data, grace: .zero)
        }
    }

    fileprivate func stop() async {
        let server = running.withLock { $0.take() }
        server?.cancel()
        _ = await server?.result
    }

    /// Ends it with all that it has in its files, and nothing in its binary log.
    fileprivate func shutDown() async throws {
        try await sql("RESET MASTER; SHUTDOWN")
        let server = running.withLock { $0.take() }
        _ = await server?.result
    }

    /// What statements return, without headings; columns are separated by tabs.
    @discardableResult
    public func sql(_ statements: String, in database: String = "", as user: String? = nil, password: String? = nil)
        async throws -> String
    {
        var arguments = ["--no-defaults", "--socket=\(socket)", "--batch", "--skip-column-names"]
        if let user { arguments.append("--user=\(user)") }
        if let password { arguments.append("--password=\(password)") }
        let outcome = try await runProgram("mariadb", arguments + ["-e", statements, database].filter { !$0.isEmpty })
        guard outcome.succeeded else { throw HostError(description: outcome.lastErrors) }
        let text = String(decoding: outcome.output, as: UTF8.self)
        return text.hasSuffix("\n") ? String(text.dropLast()) : text
    }

    /// Runs `body` while statements that would never end run, and ends them then.
    public func whileRunning(_ statements: String, _ body: () async throws -> Void) async throws {
        let work = Task { try await sql(statements) }
        let outcome: Swift.Result<Void, any Error>
        do {
            try await eventually { try await self.sql(Self.busy) != "" }
            outcome = .success(try await body())
        } catch {
            outcome = .failure(error)
        }
        for id in try await sql(Self.busy).split(separator: "\n") { _ = try? await sql("KILL \(id)") }
        // It was killed, which the client reports.
        _ = await work.result
        try outcome.get()
    }

    private static let busy =
        "SELECT id FROM information_schema.processlist WHERE command = 'Query' AND id <> connection_id() AND time_ms > 20"
}

/// Of a template too: a log of another size is made again at each start.
private let logSize = "--innodb-log-file-size=16M"

extension Template {
    /// A server without databases.
    public static let emptyMariaDB = Template { directory in
        let data = try serverDirectory(directory)
        try FileSystem.createDirectory(data)
        try MariaDBServer.own(data)
        try await output(
            "mariadb-install-db", "--no-defaults", "--user=\(MariaDBServer.user)", "--datadir=\(data)",
            "--auth-root-authentication-method=socket", "--skip-test-db", "--skip-name-resolve", logSize)
        try await pack(data)
    }

    /// A server with what `fill` makes in it.
    public static func mariaDB(_ fill: @escaping @Sendable (MariaDBServer) async throws -> Void) -> Template {
        Template { directory in
            let data = try serverDirectory(directory)
            try await emptyMariaDB.unpack(to: data)
            let server = MariaDBServer(in: directory)
            do {
                try await server.start()
                try await fill(server)
                try await server.shutDown()
            } catch {
                await server.stop()
                throw error
            }
            try await pack(data)
        }
    }

    /// Lets the server's user into a template's directory. Returns where its data is to be.
    private static func serverDirectory(_ directory: FilePath) throws -> FilePath {
        guard chmod(directory.string, 0o711) == 0 else { throw Errno(rawValue: errno) }
        try MariaDBServer.own(directory)
        return directory.appending("data")
    }
}
