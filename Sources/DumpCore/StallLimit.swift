import Synchronization

/// Runs `work`, and cancels it when its pulse has not beaten for `limit`. Returns nil in that case, after `work` has ended.
///
/// `nil` as the limit means none. While the machine sleeps, no time passes.
public func withStallLimit<Result: Sendable>(
    _ limit: Duration?, _ work: @escaping @Sendable (Pulse) async throws -> Result
) async throws -> Result? {
    let pulse = Pulse()
    guard let limit else { return try await work(pulse) }
    return try await withThrowingTaskGroup(of: Result?.self) { group in
        group.addTask { try await work(pulse) }
        group.addTask {
            try await pulse.untilStill(for: limit)
            return nil
        }
        defer { group.cancelAll() }
        // Whichever ends first. When it stands still, the group's end waits for the cancelled work, whose error then means nothing.
        return try await group.next() ?? nil
    }
}

/// When something last showed that it is alive.
public final class Pulse: Sendable {
    private let last = Mutex(SuspendingClock.now)

    /// It is alive.
    public func beat() { last.withLock { $0 = .now } }

    fileprivate func untilStill(for limit: Duration) async throws {
        while true {
            let end = last.withLock { $0 } + limit
            guard end > .now else { return }
            try await Task.sleep(until: end, clock: .suspending)
        }
    }
}
