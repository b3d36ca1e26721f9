import TestSupport
import Testing

@testable import DumpCore

@Suite("Work slots")
struct WorkSlotsTests {
    @Test("A single slot serves urgent work first, then the lightest that waits")
    func lightestFirst() async throws {
        let slots = WorkSlots(capacity: 1)
        let order = Recorded<Int64>()
        let first = try await slots.acquire(1, weight: 0)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for weight in [3, 1, 4, WorkSlots.urgent, 1, 5] {
                group.addTask {
                    let grant = try await slots.acquire(1, weight: weight)
                    order.append(weight)
                    await slots.release(grant)
                }
            }
            try await eventually { await slots.waitingCount == 6 }
            #expect(order.all.isEmpty)
            await slots.release(first)
            try await group.waitForAll()
        }
        #expect(order.all == [WorkSlots.urgent, 1, 1, 3, 4, 5])
    }

    @Test(
        "Half of several slots serve the heaviest work that waits, the others the lightest",
        arguments: [(2, [1, 5]), (3, [1, 1, 5]), (4, [1, 1, 4, 5])] as [(Int, [Int64])])
    func fromBothEnds(capacity: Int, expected: [Int64]) async throws {
        let slots = WorkSlots(capacity: capacity)
        let all = try await slots.acquire(capacity, weight: 0)
        let served = Recorded<Int64>()
        let waiting = [3, 1, 4, 1, 5].map { weight in
            Task {
                _ = try await slots.acquire(1, weight: Int64(weight))
                served.append(Int64(weight))
            }
        }
        try await eventually { await slots.waitingCount == waiting.count }
        await slots.release(all)
        try await eventually { served.all.count == capacity }
        #expect(served.all.sorted() == expected)
        for task in waiting { task.cancel() }
    }

    @Test("A cancelled waiter takes nothing and keeps no other waiting")
    func cancelledWaiter() async throws {
        let slots = WorkSlots(capacity: 1)
        let held = try await slots.acquire(1, weight: 0)
        let first = Task { _ = try await slots.acquire(1, weight: 1) }
        try await eventually { await slots.waitingCount == 1 }
        let second = Task { _ = try await slots.acquire(1, weight: 9) }
        try await eventually { await slots.waitingCount == 2 }
        first.cancel()
        await #expect(throws: CancellationError.self) { try await first.value }
        await slots.release(held)
        try await second.value
    }
}
