import DumpCore

extension Result where Success: Sendable, Failure == DumpError {
    /// The outcome of work that must be awaited.
    static func awaiting(_ work: () async throws(DumpError) -> Success) async -> Self {
        do throws(DumpError) {
            return .success(try await work())
        } catch {
            return .failure(error)
        }
    }
}
