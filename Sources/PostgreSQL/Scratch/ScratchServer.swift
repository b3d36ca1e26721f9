import DumpCore
import Glibc
import Linux
import Processes
import Synchronization
import SystemPackage

/// A throw-away PostgreSQL server. It listens on a Unix socket in its own directory and nowhere else.
///
/// The caller that starts it stops it, best by `whileRunning`, and `withNew` removes its files too. It is our child: it ends when we do, however we end.
public final class ScratchServer: Sendable {
    /// Holds the socket and the data.
    public let directory: FilePath
    public let programs: ServerPrograms
    /// Whom the server runs as, as PostgreSQL refuses root. Nil is ourselves.
    public let user: String?
    /// How the server is kept apart from all else. Its user is that of the isolation then, and clients need not be.
    public let isolation: Isolation?
    let runner: ProgramRunner
    private let running = Mutex<Task<ProgramOutcome, any Error>?>(nil)

    public var data: FilePath { directory.appending("data") }

    /// Where the server itself finds its directory.
    public var ownDirectory: FilePath { isolation == nil ? directory : Isolation.roomPath }
    /// The same of its data, for the server's own programs.
    var ownData: FilePath { ownDirectory.appending("data") }

    /// The user that packages of PostgreSQL create, if we are root.
    public static var usualUser: String? { UserAccount.currentIsRoot ? "postgres" : nil }

    /// - Parameter directory: is there, and empty. It is given to `user`, who must be able to reach it.
    public init(
        in directory: FilePath, programs: ServerPrograms, user: String? = usualUser, isolation: Isolation? = nil,
        runner: ProgramRunner
    ) throws(DumpError) {
        self.directory = directory
        self.programs = programs
        self.user = isolation == nil ? user : nil
        self.isolation = isolation
        self.runner = runner
        // sun_path of unix(7), with its NUL.
        guard directory.appending(".s.PGSQL.5432").length < 108 else {
            throw DumpError(
                .system, "the path \(directory) is too long for the socket of a server",
                hint: "Use a directory with a shorter path.")
        }
        if let isolation {
            try Self.give(directory, isolation.user, isolation.user)
        } else if let user {
            try Self.give(directory, to: user)
        }
    }

    private static func give(_ directory: FilePath, to user: String) throws(DumpError) {
        guard let account = UserAccount(named: user) else {
            throw DumpError(
                .programUnsuitable, "there is no user '\(user)', whom the server could run as",
                hint: "Install PostgreSQL, which creates the user postgres.")
        }
        try give(directory, account.uid, account.gid)
    }

    private static func give(_ directory: FilePath, _ user: UInt32, _ group: UInt32) throws(DumpError) {
        guard chown(directory.string, user, group) == 0 else {
            throw DumpError(.system, "cannot give \(directory) to user \(user): \(Errno(rawValue: errno))")
        }
    }
}

extension ScratchServer {
    /// How a server is shut down.
    public enum Shutdown: String, Sendable {
        /// With a checkpoint, so that what is left is a cluster that was shut down.
        case fast
        /// At once: for data that is thrown away with the server.
        case immediate
    }

    /// Runs the server for as long as `body` runs. It is stopped whatever comes of that, also when the task is cancelled.
    public func whileRunning<Result>(
        ending: Shutdown = .immediate, _ body: () async throws -> Result
    ) async throws -> Result {
        let outcome: Swift.Result<Result, any Error>
        do {
            try await start()
            outcome = .success(try await body())
        } catch {
            outcome = .failure(error)
        }
        // A task of its own: it is not cancelled when ours is. What made `body` fail says more than what keeps the server from ending.
        let stopping = await Task { try await stop(ending) }.result
        let result = try outcome.get()
        try stopping.get()
        return result
    }

    /// Returns once the server takes connections.
    public func start() async throws(DumpError) {
        let (runner, program) = (runner, server)
        let server = Task { try await runner.run(program) }
        running.withLock { $0 = server }
        let hasEnded = StopSign()
        let ending = Task {
            let outcome = await server.result
            hasEnded.raise()
            return outcome
        }
        let end = ContinuousClock.now + Self.patience
        while true {
            if try await isReady() { return }
            guard !hasEnded.isRaised else { throw await notStarted(ending.value) }
            guard ContinuousClock.now < end else {
                throw DumpError(
                    .sourceUnavailable,
                    "a PostgreSQL server in \(directory) did not start within \(Self.patience.settingsText)")
            }
            do { try await Task.sleep(for: .milliseconds(20)) } catch {
                throw DumpError(.cancelled, "the start of a server was cancelled", underlying: error)
            }
        }
    }

    /// For a busy machine, and a cluster that has to recover first.
    private static let patience = Duration.seconds(300)

    private func notStarted(_ outcome: Result<ProgramOutcome, any Error>) -> DumpError {
        let said = (try? outcome.get())?.lastErrors ?? ""
        return DumpError(
            .programFailed, "a PostgreSQL server in \(directory) did not start",
            context: said.isEmpty ? [:] : ["stderr": said])
    }

    /// What an isolated one has is thrown away: it ends at once when its task is cancelled.
    private var server: Program {
        var program = program("postgres", ["-D", ownData.string])
        if isolation != nil { program.grace = .zero }
        return program
    }

    /// Whether its lock file says, as pg_ctl(1) reads it, that it would be asked in vain. Each question takes a program.
    private var isStarting: Bool {
        do throws(Errno) {
            let file = try FileSystem.bytes(of: data.appending("postmaster.pid"), atMost: 1 << 12)
            let lines = file.split(separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false)
            return lines.count < 8 || lines[7].starts(with: "starting".utf8)
        } catch {
            return error == .noSuchFileOrDirectory
        }
    }

    private func isReady() async throws(DumpError) -> Bool {
        guard !isStarting else { return false }
        var client = program("pg_isready", ["-q", "-h", directory.string])
        // From where its clients are. To isolate each of these takes longer than the question.
        client.isolation = nil
        return try await run(client).succeeded
    }

    /// Disconnects everyone and shuts down. Nothing happens if it is stopped already.
    public func stop(_ shutdown: Shutdown = .immediate) async throws(DumpError) {
        guard let server = running.withLock({ $0.take() }) else { return }
        if isolation != nil, shutdown == .immediate {
            server.cancel()
            _ = await server.result
            return
        }
        let outcome: ProgramOutcome
        do {
            outcome = try await run("pg_ctl", ["-D", ownData.string, "-m", shutdown.rawValue, "-w", "stop"])
        } catch {
            server.cancel()
            _ = await server.result
            throw error
        }
        // One that has ended by itself has no pg_ctl to end it; one that does not heed it is killed.
        if !outcome.succeeded { server.cancel() }
        _ = await server.result
    }
}
