import Glibc

/// Runs `work` on a thread of its own and waits for it without blocking a thread of the task pool.
///
/// The pool has one thread for each core; a blocking call (libpq, fsync, reading a large file) on one of them delays every
/// other task. Not cancellable by itself: `work` must have its own way to end.
public func onOwnThread<Result: Sendable, Failure: Error>(
    _ work: @escaping @Sendable () throws(Failure) -> Result
) async throws(Failure) -> Result {
    let outcome: Swift.Result<Result, Failure> = await withCheckedContinuation { continuation in
        let start = ThreadStart {
            let outcome: Swift.Result<Result, Failure>
            do throws(Failure) {
                outcome = .success(try work())
            } catch {
                outcome = .failure(error)
            }
            continuation.resume(returning: outcome)
        }
        start.run()
    }
    return try outcome.get()
}

private final class ThreadStart: Sendable {
    private let work: @Sendable () -> Void

    init(_ work: @escaping @Sendable () -> Void) { self.work = work }

    func run() {
        var thread = pthread_t()
        var attributes = pthread_attr_t()
        pthread_attr_init(&attributes)
        defer { pthread_attr_destroy(&attributes) }
        // A walk goes as deep as the tree, and the operator may have set a small limit for stacks.
        pthread_attr_setstacksize(&attributes, 16 << 20)
        let failure = pthread_create(
            &thread, &attributes,
            { argument in
                Unmanaged<ThreadStart>.fromOpaque(argument!).takeRetainedValue().work()
                return nil
            }, Unmanaged.passRetained(self).toOpaque())
        guard failure == 0 else {
            // EAGAIN: the process may have no more threads. Slower is better than not at all.
            Unmanaged.passUnretained(self).release()
            return work()
        }
        pthread_detach(thread)
    }
}
