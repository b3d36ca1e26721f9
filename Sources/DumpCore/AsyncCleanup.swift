/// Runs `work`, then `cleanup` whatever came of it: `defer` for what must be awaited.
///
/// The cleanup runs to its end even when the task has been cancelled, as long as it does not ask.
public func withCleanup<Result, Failure: Error>(
    _ work: () async throws(Failure) -> Result, cleanup: () async -> Void
) async throws(Failure) -> Result {
    do throws(Failure) {
        let result = try await work()
        await cleanup()
        return result
    } catch {
        await cleanup()
        throw error
    }
}
