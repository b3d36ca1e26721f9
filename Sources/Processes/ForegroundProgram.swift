import DumpCore
import Glibc
import Linux
import SystemPackage

/// A program that an operator talks to, such as psql. It has our terminal, our environment and our descriptors 0 to 2 for as long as it
/// runs.
public enum ForegroundProgram {
    /// Runs it to its end, and returns its status as a shell would.
    ///
    /// On a terminal it is the foreground, so that Ctrl-C is for it alone. When the task is cancelled it is hung up, and killed if it does
    /// not heed that within some seconds.
    public static func run(_ path: FilePath, _ arguments: [String]) async throws(DumpError) -> Int32 {
        try await onOwnThreadUntilCancelled { stop throws(DumpError) in
            let terminal = isatty(STDIN_FILENO) != 0
            let pid = try start(path, arguments)
            if terminal { giveTerminal(to: pid) }
            let status = wait(for: pid, until: stop)
            if terminal { giveTerminal(to: getpgrp()) }
            return status
        }
    }

    private static func start(_ path: FilePath, _ arguments: [String]) throws(DumpError) -> pid_t {
        var attributes = posix_spawnattr_t()
        posix_spawnattr_init(&attributes)
        defer { posix_spawnattr_destroy(&attributes) }
        posix_spawnattr_setflags(
            &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF))
        // Signals that we block or ignore are its own business.
        var (none, all) = (sigset_t(), sigset_t())
        sigemptyset(&none)
        sigfillset(&all)
        posix_spawnattr_setsigmask(&attributes, &none)
        posix_spawnattr_setsigdefault(&attributes, &all)
        var words: [UnsafeMutablePointer<CChar>?] = ([path.string] + arguments).map { strdup($0) } + [nil]
        defer { for word in words { free(word) } }
        var pid = pid_t()
        let failure = posix_spawn(&pid, path.string, nil, &attributes, &words, environ)
        guard failure == 0 else {
            throw DumpError(.programUnsuitable, "cannot start \(path): \(Errno(rawValue: failure))")
        }
        return pid
    }

    /// To hand it over from the background stops who does, unless that is blocked.
    private static func giveTerminal(to group: pid_t) {
        var (stopping, before) = (sigset_t(), sigset_t())
        sigemptyset(&stopping)
        sigaddset(&stopping, SIGTTOU)
        pthread_sigmask(SIG_BLOCK, &stopping, &before)
        tcsetpgrp(STDIN_FILENO, group)
        pthread_sigmask(SIG_SETMASK, &before, nil)
    }

    private static func wait(for pid: pid_t, until stop: StopSign) -> Int32 {
        var hungUp: ContinuousClock.Instant?
        while true {
            var status: Int32 = 0
            switch waitpid(pid, &status, WNOHANG) {
            case pid: return status & 0x7f == 0 ? (status >> 8) & 0xff : 128 + (status & 0x7f)
            case -1 where errno != EINTR: return 1
            default: break
            }
            if stop.isRaised {
                if let hungUp, ContinuousClock.now - hungUp > .seconds(5) { kill(pid, SIGKILL) }
                if hungUp == nil { kill(pid, SIGHUP) }
                hungUp = hungUp ?? .now
            }
            usleep(20_000)
        }
    }
}
