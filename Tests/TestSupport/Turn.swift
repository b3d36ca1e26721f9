import DumpCore

/// Tests start all at once, and a hundred servers and Borgs on two cores serve nobody: those that start such take turns.
public enum Turn {
    private static let slots = WorkSlots(capacity: 6)
    /// A test that has its turn may ask again: waiting for each other, such tests would wait for ever.
    @TaskLocal private static var isTaken = false

    public static func take<Result>(_ work: () async throws -> Result) async throws -> Result {
        guard !isTaken else { return try await work() }
        let grant = try await slots.acquire(1, weight: 0)
        let outcome: Swift.Result<Result, any Error>
        do {
            outcome = .success(try await $isTaken.withValue(true) { try await work() })
        } catch {
            outcome = .failure(error)
        }
        await slots.release(grant)
        return try outcome.get()
    }
}
