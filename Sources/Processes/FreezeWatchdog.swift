import Glibc
import Linux
import Subprocess
import SystemPackage

/// A process that thaws an application when nobody else does: after a time, and at once when this process ends, however
/// it ends.
///
/// `Sources/muster-keeper/main.c` says how. It outlives us. To be started before the freeze, and told by `dismiss`
/// after the thaw.
public final class FreezeWatchdog: Sendable {
    /// What became of it.
    public enum End: Sendable, Equatable {
        /// It had nothing to do.
        case dismissed
        /// It thawed because the time was up.
        case timeWasUp
        /// It thawed because it was asked to, or told to end.
        case thawed
        /// It could not thaw, or was ended by somebody before it could.
        case failed
    }

    private let pid: pid_t
    private let socket: FileDescriptor

    private init(pid: pid_t, socket: FileDescriptor) {
        self.pid = pid
        self.socket = socket
    }

    /// Tells it that the command that freezes has ended. Until then it would wait for that one's end too if we died.
    public func froze() { send(socket.rawValue, [UInt8(ascii: "f")], 1, Int32(MSG_NOSIGNAL)) }

    /// Tells it that all was thawed, waits for its end, and says what it had done before. To be called once, or
    /// `thawNow`.
    public func dismiss() async -> End {
        // Without a reader its time was up already, which its status says.
        send(socket.rawValue, [UInt8(ascii: "t")], 1, Int32(MSG_NOSIGNAL))
        return await end()
    }

    /// Lets it thaw now, again and again for a while if need be, and waits for its end: six times the time after which it
    /// would have thawed, at most. To be called once, or `dismiss`.
    public func thawNow() async -> End { await end() }

    private func end() async -> End {
        // What a socket is closed with cannot fail in a way that matters: it is the end of it for the other side.
        try? socket.close()
        let pid = pid
        let status = await onOwnThread {
            var status: Int32 = 0
            while waitpid(pid, &status, 0) < 0 && errno == EINTR {}
            return status
        }
        switch (status & 0x7f, (status >> 8) & 0xff) {
        case (0, 0): return .dismissed
        case (0, 10): return .timeWasUp
        case (0, 11): return .thawed
        default: return .failed
        }
    }
}

extension ProgramRunner {
    /// Starts a watchdog, and returns when it watches.
    ///
    /// - Parameters:
    ///   - thaw: what it runs, as our own user. Only the executable, its arguments and its environment count.
    ///   - time: after which it does so.
    public func watchFreeze(
        thawingBy thaw: Program, after time: Duration
    ) async throws(ProcessError) -> FreezeWatchdog {
        do throws(Errno) {
            let watchdog = try FreezeWatchdog.start(keeper, Keeper.arguments(forThawing: thaw, after: time), thaw)
            guard await watchdog.isWatching() else {
                _ = await watchdog.thawNow()
                throw .noChildProcess
            }
            return watchdog
        } catch {
            throw ProcessError(.cannotRun, "cannot start the watchdog that thaws: \(error)", underlying: error)
        }
    }
}

extension FreezeWatchdog {
    fileprivate static func start(
        _ keeper: FilePath, _ arguments: [String], _ thaw: Program
    ) throws(Errno) -> FreezeWatchdog {
        var ends: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            throw Errno(rawValue: errno)
        }
        // The other end is the watchdog's alone: that ours is closed by our own end must be an end for it.
        defer { close(ends[1]) }
        var pid: pid_t = 0
        let failure = spawn(&pid, [keeper.string] + arguments, ChildEnvironment.of(thaw), standardInput: ends[1])
        guard failure == 0 else {
            close(ends[0])
            throw Errno(rawValue: failure)
        }
        return FreezeWatchdog(pid: pid, socket: FileDescriptor(rawValue: ends[0]))
    }

    /// Not by Subprocess, which ends what it started together with us. Where the watchdog would write may be frozen: it
    /// writes nowhere.
    private static func spawn(
        _ pid: inout pid_t, _ command: [String], _ environment: [Environment.Key: String], standardInput: Int32
    ) -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, standardInput, STDIN_FILENO)
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
        let words = command.map { strdup($0) } + [nil]
        let variables = environment.map { strdup("\($0.key.rawValue)=\($0.value)") } + [nil]
        defer { for text in words + variables { free(text) } }
        return posix_spawn(&pid, command[0], &actions, nil, words, variables)
    }

    /// It says so by a byte; an end of the stream in its place means that it could not begin.
    fileprivate func isWatching() async -> Bool {
        let socket = socket
        return await onOwnThread {
            var byte: UInt8 = 0
            var count = recv(socket.rawValue, &byte, 1, 0)
            while count < 0 && errno == EINTR { count = recv(socket.rawValue, &byte, 1, 0) }
            return count == 1
        }
    }
}
