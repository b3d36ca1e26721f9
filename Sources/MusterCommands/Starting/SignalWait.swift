import Glibc
import Linux
import Synchronization
import SystemPackage

/// Runs the program as a task while the main thread waits for signals.
///
/// SIGTERM, SIGINT and SIGHUP cancel the task, which then ends in good order: children stopped, nothing published, lock
/// released. The second of them ends the process at once, and so does `StopLimit` when the task hangs; the keepers still stop the
/// children. `nohup(1)` ignores SIGHUP for us, and it stays ignored; what a shell ignores for its background jobs, SIGINT, does not.
enum SignalWait {
    /// Milliseconds of the monotonic clock at the first signal.
    private static let receivedAt = Atomic<Int>(0)
    private static let hasBegun = Atomic<Bool>(false)

    /// The first signal that asked us to stop, or nil.
    static var signal: Int32? { StopRequest.signal }

    /// Nil while no signal has asked us to stop.
    static var timeSinceSignal: Duration? {
        guard signal != nil else { return nil }
        return .milliseconds(now - receivedAt.load(ordering: .acquiring))
    }

    /// - Parameter work: returns the exit status.
    static func run(_ work: @escaping @Sendable () async -> Int32) -> Never {
        if let shortage = StartingLimits.shortage { end(shortage, with: 1) }
        let signals = open()
        requireThreads()
        // Without exit(3): what it would run waits for threads that may hang.
        let task = Task.detached {
            hasBegun.store(true, ordering: .releasing)
            _exit(await work())
        }
        let start = now
        var limit = StopLimit()
        while true {
            let isWaiting = signal == nil && hasBegun.load(ordering: .acquiring)
            if let next = signals.next(within: isWaiting ? -1 : 250) { take(next, task) }
            if let time = timeSinceSignal, limit.isOver(at: time) {
                end("ended, because something that it waits for does not respond", with: 128 + signal!)
            }
            if !hasBegun.load(ordering: .acquiring), now - start > 30_000 { end(cannotStartThreads, with: 1) }
        }
    }

    /// The first asks the task to end, the second ends us.
    private static func take(_ signal: Int32, _ task: Task<Void, Never>) {
        if self.signal == nil { receivedAt.store(now, ordering: .releasing) }
        guard StopRequest.note(signal) else { _exit(128 + signal) }
        task.cancel()
    }

    private static func open() -> SignalPipe {
        let signals: SignalPipe
        do { signals = try SignalPipe() } catch { end("cannot create a pipe: \(error)", with: 1) }
        for signal in [SIGTERM, SIGINT, SIGHUP] where signal != SIGHUP || !StartingConditions.wasIgnored(signal) {
            signals.catchSignal(signal)
        }
        // Writing to a reader that has gone is an error of that write, not the end of the run.
        _ = Glibc.signal(SIGPIPE, SIG_IGN)
        // If it is ignored, as our parent may have set it, the kernel does not keep how our programs ended.
        _ = Glibc.signal(SIGCHLD, SIG_DFL)
        return signals
    }

    /// Where there can be no thread, Swift's pool would try for ever to start its first, and say nothing.
    private static func requireThreads() {
        var thread = pthread_t()
        let failure = pthread_create(&thread, nil, { _ in nil }, nil)
        guard failure == 0 else { end("\(cannotStartThreads): \(Errno(rawValue: failure))", with: 1) }
        pthread_join(thread, nil)
    }

    private static let cannotStartThreads =
        "cannot start a thread: the limits on memory or on processes (ulimit, MemoryMax=, TasksMax=) are too low"

    /// Says a word, if that can be done without waiting, and ends.
    private static func end(_ word: String, with status: Int32) -> Never {
        let message = Array("muster: \(word)\n".utf8)
        var watched = pollfd(fd: STDERR_FILENO, events: Int16(POLLOUT), revents: 0)
        if poll(&watched, 1, 0) > 0 { _ = write(STDERR_FILENO, message, message.count) }
        _exit(status)
    }

    private static var now: Int {
        var time = timespec()
        clock_gettime(CLOCK_MONOTONIC, &time)
        return time.tv_sec * 1000 + time.tv_nsec / 1_000_000
    }
}
