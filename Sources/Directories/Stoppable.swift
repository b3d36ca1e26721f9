import DumpCore
import Linux

/// Work that the cancellation of our task ends by a stop sign, as threads of its own heed nothing else.
func stoppable<Success: Sendable>(
    _ work: (StopSign) async throws(DumpError) -> Success
) async throws(DumpError) -> Success {
    let stop = StopSign()
    // The handler's closures lose the type of what they throw.
    let outcome = await withTaskCancellationHandler { () -> Result<Success, DumpError> in
        do throws(DumpError) {
            return .success(try await work(stop))
        } catch {
            return .failure(error)
        }
    } onCancel: {
        stop.raise()
    }
    return try outcome.get()
}
