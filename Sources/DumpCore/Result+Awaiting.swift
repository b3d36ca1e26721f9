extension Result where Success: Sendable {
    /// The outcome of work that must be awaited, for `async let`, tasks and handlers, which lose the type of what is thrown.
    public static func awaiting(_ work: () async throws(Failure) -> Success) async -> Self {
        do throws(Failure) {
            return .success(try await work())
        } catch {
            return .failure(error)
        }
    }
}
