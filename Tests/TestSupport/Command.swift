import Glibc
import Linux
import SystemPackage
import Testing

/// A program started by a test, mostly `muster` itself. Knows nothing of the code under test: bare `posix_spawn(3)`.
public struct Command: Sendable {
    public let pid: pid_t
    private let output: FilePath
    private let errors: FilePath

    /// How a program ended, and everything it wrote.
    public struct Result: Sendable {
        public enum Status: Sendable, Equatable {
            case exited(Int32)
            case signaled(Int32)
        }

        public var status: Status
        public var output: String
        public var errors: String
    }

    /// Starts a program with exactly this environment. What it writes goes to two files in `scratch`.
    public init(
        _ executable: FilePath, _ arguments: [String], environment: [String: String], scratch: FilePath
    ) throws {
        let number = UInt32.random(in: .min ... .max)
        output = scratch.appending("command-\(number).out")
        errors = scratch.appending("command-\(number).err")
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        let flags = O_WRONLY | O_CREAT | O_TRUNC
        posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0)
        posix_spawn_file_actions_addopen(&actions, 1, output.string, flags, 0o600)
        posix_spawn_file_actions_addopen(&actions, 2, errors.string, flags, 0o600)
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        // The test runner may ignore or block signals that the program must get.
        var signals = sigset_t()
        sigemptyset(&signals)
        posix_spawnattr_setsigmask(&attributes, &signals)
        sigaddset(&signals, SIGPIPE)
        posix_spawnattr_setsigdefault(&attributes, &signals)
        posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))

        let argv = ([executable.string] + arguments).map { strdup($0) } + [nil]
        let variables = environment.map { strdup("\($0)=\($1)") } + [nil]
        defer { for text in argv + variables { free(text) } }
        var pid: pid_t = 0
        let failure = posix_spawn(&pid, executable.string, &actions, &attributes, argv, variables)
        guard failure == 0 else { throw Errno(rawValue: failure) }
        self.pid = pid
    }

    /// Waits for the end.
    public func result() async throws -> Result {
        let pid = pid
        let status = await onOwnThread {
            var status: Int32 = 0
            while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
            return status
        }
        let signal = status & 0x7f
        return Result(
            status: signal == 0 ? .exited((status >> 8) & 0xff) : .signaled(signal), output: try read(output),
            errors: try read(errors))
    }

    /// What it has written to standard error by now.
    public func errorsSoFar() throws -> String { try read(errors) }

    public func send(_ signal: Int32) { kill(pid, signal) }

    /// Ends a program that nothing waits for. As a zombie it would keep Swift Testing busy, and from seeing that the process of a test has ended.
    public func end() {
        send(SIGKILL)
        while waitpid(pid, nil, 0) < 0 && errno == EINTR {}
    }

    /// Waits until the program has stopped itself (SIGSTOP) or ended. True if it has stopped.
    public func stopped() async throws -> Bool {
        var state: Character?
        try await eventually {
            state = (try? read(FilePath("/proc/\(pid)/stat")))?.drop { $0 != ")" }.dropFirst(2).first
            return state == "T" || state == "Z" || state == nil
        }
        return state == "T"
    }

    /// Runs a program to its end.
    public static func run(
        _ executable: FilePath, _ arguments: [String], environment: [String: String], scratch: FilePath
    ) async throws -> Result {
        try await Command(executable, arguments, environment: environment, scratch: scratch).result()
    }
}
