/// A counting semaphore whose waiters are served by weight, heaviest first.
///
/// All dumps of a run share one, so that "at most `parallel` at once, largest first" holds over all sources.
public actor WorkSlots {
    /// How many slots there are in all.
    public nonisolated let capacity: Int
    private var free: Int
    private var waiting: [Waiter] = []
    private var nextTicket = 0

    private struct Waiter {
        var ticket: Int
        var count: Int
        var weight: Int64
        var continuation: CheckedContinuation<Void, any Error>
    }

    /// - Parameter capacity: at least 1.
    public init(capacity: Int) {
        precondition(capacity >= 1)
        self.capacity = capacity
        free = capacity
    }

    /// Waits until `count` slots are free and takes them. Throws `CancellationError`, having taken none, when the task is
    /// cancelled first. More than `capacity` counts as `capacity`.
    public func acquire(_ count: Int, weight: Int64) async throws {
        try Task.checkCancellation()
        let ticket = nextTicket
        nextTicket += 1
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                enqueue(
                    Waiter(ticket: ticket, count: min(count, capacity), weight: weight, continuation: continuation))
            }
        } onCancel: {
            Task { await self.withdraw(ticket) }
        }
    }

    /// Gives back what an `acquire` of the same count took.
    public func release(_ count: Int) {
        free += min(count, capacity)
        serve()
    }

    private func enqueue(_ waiter: Waiter) {
        // Cancelled before it was queued: the withdrawal has come and found nothing, or will find nothing.
        guard !Task.isCancelled else { return waiter.continuation.resume(throwing: CancellationError()) }
        let place = waiting.firstIndex { $0.weight < waiter.weight } ?? waiting.endIndex
        waiting.insert(waiter, at: place)
        // Units arrive one after the other from their own tasks: let them all arrive before the first is chosen.
        Task { serve() }
    }

    private func withdraw(_ ticket: Int) {
        guard let place = waiting.firstIndex(where: { $0.ticket == ticket }) else { return }
        waiting.remove(at: place).continuation.resume(throwing: CancellationError())
        serve()
    }

    private func serve() {
        while let first = waiting.first, first.count <= free {
            free -= first.count
            waiting.removeFirst().continuation.resume()
        }
    }
}
