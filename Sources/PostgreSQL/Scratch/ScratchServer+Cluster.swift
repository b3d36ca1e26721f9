import DumpCore
import Linux
import Processes
import SystemPackage

extension ScratchServer {
    /// A new server with an empty cluster, for as long as `body` runs. All of its files are removed afterwards, whatever comes of that.
    ///
    /// - Parameters:
    ///   - directory: is not there yet; the server's user must be able to pass through what is above it.
    ///   - arguments: further ones of initdb.
    ///   - settings: further lines for `postgresql.auto.conf`.
    public static func withNew<Result>(
        at directory: FilePath, programs: ServerPrograms, user: String? = usualUser, runner: ProgramRunner,
        arguments: [String] = [], settings: [String] = [], _ body: (ScratchServer) async throws -> Result
    ) async throws -> Result {
        try FileSystem.createDirectory(directory)
        let outcome: Swift.Result<Result, any Error>
        do {
            let server = try ScratchServer(in: directory, programs: programs, user: user, runner: runner)
            try await server.createCluster(arguments)
            try server.configure(settings)
            outcome = .success(try await server.whileRunning { try await body(server) })
        } catch {
            outcome = .failure(error)
        }
        let removal = Swift.Result { try FileTree(directory).remove() }
        let result = try outcome.get()
        try removal.get()
        return result
    }

    /// Fills `data` by initdb: the superuser is `postgres`, whom peer authentication lets in if the server has a user of its own.
    ///
    /// Nothing is flushed to disk, now or later: it is all thrown away.
    ///
    /// - Parameters:
    ///   - arguments: further ones of initdb.
    ///   - trustsClients: whether all who reach the socket are let in, for a directory that is closed to others.
    public func createCluster(
        _ arguments: [String] = [], superuser: String = "postgres", trustsClients: Bool? = nil
    ) async throws(DumpError) {
        let authentication = trustsClients ?? (user == nil) ? "trust" : "peer"
        try await requireSuccess(
            "initdb",
            ["-D", ownData.string, "-U", superuser, "-E", "UTF8", "--auth=\(authentication)", "--no-sync"] + arguments)
        try configure(["fsync = off"])
    }

    /// Adds lines to `postgresql.auto.conf`, the last word on every setting, after those that keep the server to its own socket.
    public func configure(_ settings: [String]) throws(DumpError) {
        let path = data.appending("postgresql.auto.conf")
        let own = [
            "listen_addresses = ''", "unix_socket_directories = '\(ownDirectory)'", "logging_collector = off",
        ]
        do {
            let file = try FileDescriptor.open(path, .writeOnly, options: [.append, .closeOnExec, .noFollow])
            try file.closeAfter { _ = try file.writeAll(((own + settings).joined(separator: "\n") + "\n").utf8) }
        } catch {
            throw DumpError(.system, "cannot write \(path): \(error)", underlying: error)
        }
    }

    /// One of the server's programs, as the server's user.
    public func program(_ name: String, _ arguments: [String]) -> Program {
        Program(programs.path(of: name), arguments, user: user, isolation: isolation)
    }

    /// Runs one of the server's programs as its user.
    public func run(
        _ name: String, _ arguments: [String], output: ProgramOutput = .discard
    ) async throws(DumpError) -> ProgramOutcome {
        try await run(program(name, arguments), output: output)
    }

    func run(_ program: Program, output: ProgramOutput = .discard) async throws(DumpError) -> ProgramOutcome {
        do {
            return try await runner.run(program, output: output)
        } catch {
            throw DumpError(error)
        }
    }

    /// The same, to a good end.
    @discardableResult
    public func requireSuccess(
        _ name: String, _ arguments: [String], output: ProgramOutput = .discard
    ) async throws(DumpError) -> ProgramOutcome {
        let outcome = try await run(name, arguments, output: output)
        guard outcome.succeeded else {
            throw DumpError(.programFailed, "\(name) \(outcome.status)", context: ["stderr": outcome.lastErrors])
        }
        return outcome
    }
}
