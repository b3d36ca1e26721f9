/// Runs `work` to its end in a task of its own, which our cancellation does not reach. It is for what must be done even when the run is
/// stopped, such as reporting that.
public func untilDone<Result: Sendable>(_ work: @escaping @Sendable () async -> Result) async -> Result {
    await Task { await work() }.value
}
