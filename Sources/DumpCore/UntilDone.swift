/// Runs `work` to its end in a task of its own, which hears nothing of the cancellation of ours: for what must be done also when we are told to
/// stop, such as to say that we were.
public func untilDone<Result: Sendable>(_ work: @escaping @Sendable () async -> Result) async -> Result {
    await Task { await work() }.value
}
