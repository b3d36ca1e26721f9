import Glibc
import Linux
import Synchronization
import SystemPackage

/// In a process of its own (an exit test): has it stop at this point, where a `StoppedProcess` finds it.
public func stopThisProcess(at point: String, scratch: String) throws {
    setenv("MUSTER_STOP_AT", point, 1)
    try write("\(getpid())", to: FilePath(scratch).appending("pid"))
}

/// Waits for the process that was told by `stopThisProcess` to stop, and does something to it.
///
/// On a thread of its own, and not in a task: while exit tests run, the test library keeps the threads of the task pool.
public final class StoppedProcess: Sendable {
    private struct NeverStopped: Error {}

    private let pidFile: FilePath
    private let work: @Sendable (pid_t) throws -> Void
    private let outcome = Mutex<Swift.Result<Void, any Error>>(.failure(NeverStopped()))
    private let thread: Mutex<pthread_t>

    public init(scratch: FilePath, _ work: @escaping @Sendable (pid_t) throws -> Void) throws {
        pidFile = scratch.appending("pid")
        self.work = work
        thread = Mutex(pthread_t())
        let failure = thread.withLock { thread in
            pthread_create(
                &thread, nil,
                { argument in
                    Unmanaged<StoppedProcess>.fromOpaque(argument!).takeRetainedValue().run()
                    return nil
                }, Unmanaged.passRetained(self).toOpaque())
        }
        guard failure == 0 else { throw Errno(rawValue: failure) }
    }

    /// To be called when the exit test has ended. Throws if the process never stopped.
    public func finish() throws {
        pthread_join(thread.withLock { $0 }, nil)
        try outcome.withLock { try $0.get() }
    }

    private func run() {
        for _ in 0..<18_000 {
            if let pid = stoppedProcess() {
                return outcome.withLock { $0 = Swift.Result { try work(pid) } }
            }
            usleep(10_000)
        }
    }

    private func stoppedProcess() -> pid_t? {
        // Not there yet, not written to its end, or gone already.
        guard let text = try? read(pidFile), let pid = pid_t(text),
            let status = try? read(FilePath("/proc/\(pid)/stat"))
        else { return nil }
        return status.contains(") T ") ? pid : nil
    }
}
