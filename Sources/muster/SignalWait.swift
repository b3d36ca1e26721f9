import Glibc
import Linux

/// Runs the program as a task while the main thread waits for signals.
///
/// SIGTERM, SIGINT and SIGHUP cancel the task, which then ends in good order: children stopped, nothing published, lock
/// released. The second of them ends the process at once; the keepers still stop the children.
enum SignalWait {
    /// The first signal that asked us to stop, or nil.
    static var signal: Int32? { StopRequest.signal }

    /// - Parameter work: returns the exit status.
    static func run(_ work: @escaping @Sendable () async -> Int32) -> Never {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { fatalError("cannot create a pipe") }
        for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        writeEnd = ends[1]
        // By handlers and not by sigwait(3): that one needs the signals blocked in every thread, and swift-subprocess has one
        // that blocks nothing.
        for signal in [SIGTERM, SIGINT, SIGHUP] { handle(signal) }
        // Writing to a reader that has gone is an error of that write, not the end of the run.
        _ = Glibc.signal(SIGPIPE, SIG_IGN)
        // Of one who ignores it, as whoever starts us may, the kernel keeps how its programs ended.
        _ = Glibc.signal(SIGCHLD, SIG_DFL)
        let task = Task.detached { exit(await work()) }
        while true {
            var signal: UInt8 = 0
            guard read(ends[0], &signal, 1) == 1 else { continue }
            guard StopRequest.note(Int32(signal)) else { _exit(128 + Int32(signal)) }
            task.cancel()
        }
    }

    private static func handle(_ signal: Int32) {
        var action = sigaction()
        action.__sigaction_handler.sa_handler = { signal in
            // On whichever thread: only what signal-safety(7) allows.
            let saved = errno
            var byte = UInt8(truncatingIfNeeded: signal)
            write(writeEnd, &byte, 1)
            errno = saved
        }
        action.sa_flags = SA_RESTART
        sigaction(signal, &action, nil)
    }
}

/// Set once before the handlers are, and read by them.
nonisolated(unsafe) private var writeEnd: Int32 = -1
