/// A counting semaphore whose waiters are served by weight, from both ends.
///
/// All dumps of a run share one, so that "at most `parallel` at once" holds over all sources. Half of the slots take the heaviest
/// waiter, so that no large piece is left for the end. The others take the lightest: what waits frozen holds up the source's users,
/// and most pieces are small. A single slot takes the lightest.
public actor WorkSlots {
    /// How many slots there are in all.
    public nonisolated let capacity: Int
    private var free: Int
    /// How many slots serve the heaviest just now.
    private var heavy = 0
    /// Heaviest first.
    private var waiting: [Waiter] = []
    private var nextTicket = 0

    private struct Waiter {
        var ticket: Int
        var count: Int
        var weight: Int64
        var continuation: CheckedContinuation<Grant, any Error>
    }

    /// Slots that were taken, to be given back.
    public struct Grant: Sendable {
        fileprivate var count: Int
        fileprivate var isHeavy: Bool
    }

    var waitingCount: Int { waiting.count }

    /// The weight of what comes before everything else.
    public static let urgent = Int64.max

    /// - Parameter capacity: at least 1.
    public init(capacity: Int) {
        precondition(capacity >= 1)
        self.capacity = capacity
        free = capacity
    }

    /// Waits until `count` slots are free and takes them. Throws `CancellationError`, having taken none, when the task is
    /// cancelled first. More than `capacity` counts as `capacity`.
    public func acquire(_ count: Int, weight: Int64) async throws -> Grant {
        try Task.checkCancellation()
        let ticket = nextTicket
        nextTicket += 1
        return try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                enqueue(
                    Waiter(ticket: ticket, count: min(count, capacity), weight: weight, continuation: continuation))
            }
        } onCancel: {
            Task { await self.withdraw(ticket) }
        }
    }

    public func release(_ grant: Grant) {
        free += grant.count
        if grant.isHeavy { heavy -= grant.count }
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
        while let (place, isHeavy) = next, waiting[place].count <= free {
            let served = waiting.remove(at: place)
            free -= served.count
            if isHeavy { heavy += served.count }
            served.continuation.resume(returning: Grant(count: served.count, isHeavy: isHeavy))
        }
    }

    /// Which waiter comes next, and whether as the heaviest.
    private var next: (place: Int, isHeavy: Bool)? {
        guard let heaviest = waiting.first, let lightest = waiting.last else { return nil }
        if heaviest.weight == Self.urgent { return (0, false) }
        guard heavy >= capacity / 2 else { return (0, true) }
        // The longest waiting of those that are as light.
        return waiting.firstIndex { $0.weight == lightest.weight }.map { ($0, false) }
    }
}
