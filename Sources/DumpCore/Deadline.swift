/// Runs `work`, and cancels it when it takes longer than `limit`. Returns nil in that case, after `work` has ended.
///
/// `nil` as the limit means none. A result that `work` still delivers after its cancellation is dropped: too late is too late.
public func withDeadline<Result: Sendable>(
    _ limit: Duration?, _ work: @escaping @Sendable () async throws -> Result
) async throws -> Result? {
    guard let limit else { return try await work() }
    return try await withThrowingTaskGroup(of: Result?.self) { group in
        group.addTask { try await work() }
        group.addTask {
            try await Task.sleep(for: limit)
            return nil
        }
        defer { group.cancelAll() }
        // Whichever ends first. When the time is up, the group's end waits for the cancelled work, whose error then means nothing.
        return try await group.next() ?? nil
    }
}
