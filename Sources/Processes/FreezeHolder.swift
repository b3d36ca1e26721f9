import DumpCore
import Glibc
import Linux
import SystemPackage

/// A process that freezes an application, holds it, and thaws it: when it is told to, after a time, and at once when this process ends, however
/// it ends. It outlives us.
///
/// `Sources/muster-keeper/freeze.c` says how.
public final class FreezeHolder: Sendable {
    /// How the freeze came out.
    public enum Freeze: Sendable, Equatable {
        case frozen
        /// The command that freezes did not succeed.
        case failed(ProgramOutcome)
        /// It took longer than the application may be frozen, and was killed.
        case tooLong
        /// This process, or somebody else, wanted the holder to end.
        case stopped
        /// Another freeze of the job has held the lock for too long.
        case lockHeld
        case noLock(Errno)
        /// The holder was killed.
        case lost
    }

    /// What the freeze was worth, after the thaw.
    public enum Thaw: Sendable, Equatable {
        /// The application was frozen until it was asked for, if it was frozen at all.
        case held
        /// It was thawed before, because the time was up.
        case timeWasUp
        /// It was thawed before, because somebody wanted the holder to end.
        case endedEarly
        /// Nothing was left of what the command that freezes had left running: what that held, it held no longer.
        case sessionEnded
        /// The command that thaws did not succeed, however often it was tried.
        case failed(ProgramOutcome)
        /// It took longer than the application may be frozen, each time.
        case tooLong
        /// It did, but the command that freezes cannot be killed, and may freeze the application again.
        case freezeGoesOn(pid_t)
        /// It was not even tried, because another freeze of the job has held the lock for too long. Only of a holder that was to thaw only.
        case lockHeld
        /// The same, because the lock cannot be opened.
        case noLock(Errno)
        /// The holder was killed. Nobody knows whether the application is frozen.
        case lost
    }

    private let pid: pid_t
    private let socket: FileDescriptor

    private init(pid: pid_t, socket: FileDescriptor) {
        self.pid = pid
        self.socket = socket
    }

    /// Waits until the application is frozen, or will not be. Of a holder that has a command for that, once. Cancellation ends it.
    public func freeze() async -> Freeze {
        let report = await withTaskCancellationHandler {
            await nextReport()
        } onCancel: {
            tellToThaw()
        }
        switch report {
        case .commandEnded(let outcome): return outcome.succeeded ? .frozen : .failed(outcome)
        case .commandTooLong: return .tooLong
        case .stopped: return .stopped
        case .lockHeld: return .lockHeld
        case .noLock(let errno): return .noLock(errno)
        case .freezeGoesOn, nil: return .lost
        }
    }

    /// Says that all is taken that should be taken meanwhile, and lets it thaw. To be called once, or `end`.
    public func thaw() async -> Thaw {
        tellToThaw()
        return await end()
    }

    /// Waits until it has thawed by itself: for six times the time that the application may be frozen, at most, and of a holder that is only to thaw
    /// for once that, and for the lock. To be called once, or `thaw`.
    public func end() async -> Thaw {
        let report = await nextReport()
        // What a socket is closed with cannot fail in a way that matters.
        try? socket.close()
        let pid = pid
        let status = await onOwnThread { () -> Int32? in
            var status: Int32 = 0
            var ended = waitpid(pid, &status, 0)
            while ended < 0 && errno == EINTR { ended = waitpid(pid, &status, 0) }
            return ended == pid ? status : nil
        }
        guard let status else { return .lost }
        return switch (ProgramOutcome.Status(waitStatus: status), report) {
        case (.exited(0), nil): .held
        case (.exited(0), .lockHeld): .lockHeld
        case (.exited(0), .noLock(let errno)): .noLock(errno)
        case (.exited(0), .stopped), (.exited(11), _): .endedEarly
        case (.exited(10), _): .timeWasUp
        case (.exited(13), _): .sessionEnded
        case (.exited(12), .commandEnded(let outcome)): .failed(outcome)
        case (.exited(12), .freezeGoesOn(let pid)): .freezeGoesOn(pid)
        case (.exited(12), .commandTooLong): .tooLong
        default: .lost
        }
    }

    /// One that has thawed already has no reader, which its status says.
    private func tellToThaw() { send(socket.rawValue, [UInt8(ascii: "t")], 1, Int32(MSG_NOSIGNAL)) }
}

extension FreezeHolder {
    /// A message of the holder.
    private enum Report {
        case commandEnded(ProgramOutcome)
        case commandTooLong, stopped, lockHeld
        case freezeGoesOn(pid_t)
        case noLock(Errno)

        init?(_ message: ArraySlice<UInt8>) {
            guard message.count >= 5 else { return nil }
            let number = message.dropFirst().prefix(4).withUnsafeBytes { $0.loadUnaligned(as: Int32.self) }
            switch message[0] {
            case UInt8(ascii: "e"):
                let errors = String(decoding: message.dropFirst(5), as: UTF8.self)
                self = .commandEnded(
                    ProgramOutcome(
                        status: .init(waitStatus: number), output: [],
                        lastErrorLines: errors.split(atASCII: "\n").suffix(20).map(String.init)))
            case UInt8(ascii: "d"): self = .commandTooLong
            case UInt8(ascii: "s"): self = .stopped
            case UInt8(ascii: "w"): self = .freezeGoesOn(number)
            case UInt8(ascii: "l"): self = .lockHeld
            case UInt8(ascii: "n"): self = .noLock(Errno(rawValue: number))
            default: return nil
            }
        }
    }

    /// Nil when the holder has ended, and will say nothing.
    private func nextReport() async -> Report? {
        let socket = socket
        return await onOwnThread {
            var message = [UInt8](repeating: 0, count: 8192)
            var count = recv(socket.rawValue, &message, message.count, 0)
            // A reset is told once, before what had been sent: the holder has ended without having read all of ours.
            while count < 0 && (errno == EINTR || errno == ECONNRESET) {
                count = recv(socket.rawValue, &message, message.count, 0)
            }
            return Report(message.prefix(max(count, 0)))
        }
    }
}

extension ProgramRunner {
    /// Starts a holder, which begins at once. It must be waited for by `thaw` or `end`.
    ///
    /// - Parameters:
    ///   - freeze: what it runs to freeze the application, as our own user. Nil if it is only to thaw it. Only the executable and its arguments count.
    ///   - thaw: what it runs in the end, with the environment of which it runs both.
    ///   - limit: how long the application may be frozen, that command included.
    ///   - lock: path of a file, made if it is not there, which nobody else has who freezes or thaws the application.
    public func holdFreeze(
        by freeze: Program?, thawingBy thaw: Program, for limit: Duration, lock: FilePath
    ) throws(ProcessError) -> FreezeHolder {
        do throws(Errno) {
            return try FreezeHolder.start(
                keeper, Keeper.arguments(forFreezingBy: freeze, thawingBy: thaw, for: limit, lock: lock), thaw)
        } catch {
            throw ProcessError(
                .cannotRun, "cannot start what holds the application frozen: \(error)", underlying: error)
        }
    }
}

extension FreezeHolder {
    fileprivate static func start(
        _ keeper: FilePath, _ arguments: [String], _ thaw: Program
    ) throws(Errno) -> FreezeHolder {
        var ends: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_SEQPACKET.rawValue | SOCK_CLOEXEC.rawValue), 0, &ends) == 0 else {
            throw Errno(rawValue: errno)
        }
        // The other end is the holder's alone: that ours is closed by our own end must be an end for it.
        defer { close(ends[1]) }
        var pid: pid_t = 0
        let failure = spawn(&pid, [keeper.string] + arguments, ChildEnvironment.of(thaw), standardInput: ends[1])
        guard failure == 0 else {
            close(ends[0])
            throw Errno(rawValue: failure)
        }
        return FreezeHolder(pid: pid, socket: FileDescriptor(rawValue: ends[0]))
    }

    /// Where the holder would write may be frozen: it writes nowhere.
    private static func spawn(
        _ pid: inout pid_t, _ command: [String], _ environment: [String: String], standardInput: Int32
    ) -> Int32 {
        var actions = posix_spawn_file_actions_t()
        posix_spawn_file_actions_init(&actions)
        defer { posix_spawn_file_actions_destroy(&actions) }
        posix_spawn_file_actions_adddup2(&actions, standardInput, STDIN_FILENO)
        posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0)
        posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0)
        let words = command.map { strdup($0) } + [nil]
        let variables = environment.map { strdup("\($0.key)=\($0.value)") } + [nil]
        defer { for text in words + variables { free(text) } }
        return posix_spawn(&pid, command[0], &actions, nil, words, variables)
    }
}
