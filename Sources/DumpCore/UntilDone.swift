/// Runs `work` to its end in a task of its own, which our cancellation does not reach: for what must be done even when the run is told to
/// stop, such as to say that we were.
public func untilDone<Result: Sendable>(_ work: @escaping @Sendable () async -> Result) async -> Result {
    await Task { await work() }.value
}
