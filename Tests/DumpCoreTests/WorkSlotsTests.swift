import DumpCore
import TestSupport
import Testing

@Suite("Work slots")
struct WorkSlotsTests {
    @Test("Waiting work is served heaviest first, and never more at once than there are slots")
    func heaviestFirst() async throws {
        let slots = WorkSlots(capacity: 1)
        let order = Recorded<Int64>()
        try await slots.acquire(1, weight: 0)
        try await withThrowingTaskGroup(of: Void.self) { group in
            for weight: Int64 in [3, 1, 4, 1, 5] {
                group.addTask {
                    try await slots.acquire(1, weight: weight)
                    order.append(weight)
                    await slots.release(1)
                }
            }
            try await Task.sleep(for: .milliseconds(50))
            #expect(order.all.isEmpty)
            await slots.release(1)
            try await group.waitForAll()
        }
        #expect(order.all == [5, 4, 3, 1, 1])
    }

    @Test("A cancelled waiter takes nothing and keeps nobody waiting")
    func cancelledWaiter() async throws {
        let slots = WorkSlots(capacity: 2)
        try await slots.acquire(1, weight: 0)
        let greedy = Task { try await slots.acquire(2, weight: 9) }
        try await Task.sleep(for: .milliseconds(20))
        let modest = Task { try await slots.acquire(1, weight: 1) }
        try await Task.sleep(for: .milliseconds(20))
        greedy.cancel()
        await #expect(throws: CancellationError.self) { try await greedy.value }
        try await modest.value
    }
}
