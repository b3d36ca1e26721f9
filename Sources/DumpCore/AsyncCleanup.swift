/// Runs `work`, then `cleanup` whatever came of it: `defer` for what must be awaited.
///
/// The cleanup runs to its end even when the task has been cancelled, as long as it does not ask.
public func withCleanup<Result>(
    _ work: () async throws -> Result, cleanup: () async -> Void
) async throws -> Result {
    do {
        let result = try await work()
        await cleanup()
        return result
    } catch {
        await cleanup()
        throw error
    }
}
