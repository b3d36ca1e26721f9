import Synchronization

/// Keeps a service manager from ending what is slow, and lets it end what stands still.
///
/// A unit's `TimeoutStartSec=` holds from its start. Each sign moves that to a quarter of an hour from now (`EXTEND_TIMEOUT_USEC=` of
/// sd_notify(3), which never shortens a longer time). The units that come with Muster have the same time. So they end a run a quarter of an
/// hour after the last thing moved, however long the run has been at work.
public enum SignOfLife {
    static let patience = Duration.seconds(900)
    private static let interval = Duration.seconds(5)

    private static let service = ServiceNotification.fromEnvironment
    private static let start = ContinuousClock.now
    /// Seconds after `start`.
    private static let due = Atomic<Int64>(0)

    /// To be called wherever something has moved, as often as it moves.
    public static func give() {
        guard let service else { return }
        let now = (ContinuousClock.now - start).components.seconds
        let due = due.load(ordering: .relaxed)
        guard now >= due,
            self.due.compareExchange(expected: due, desired: now + interval.components.seconds, ordering: .relaxed)
                .exchanged
        else { return }
        service.extendTimeout(to: patience)
    }
}

extension SignOfLife {
    /// Waits on purpose, which does not count as a standstill.
    public static func sleep(for time: Duration) async throws {
        let end = ContinuousClock.now + time
        while ContinuousClock.now < end {
            give()
            try await Task.sleep(for: min(.seconds(60), end - .now))
        }
        give()
    }
}
