import Borg

/// A repository that is opened when it is first needed, and once: its passphrase may come from a command, or from the operator.
actor OnceOpened {
    private let open: @Sendable () async throws -> BorgRepository
    private var opening: Task<BorgRepository, any Error>?

    init(_ open: @escaping @Sendable () async throws -> BorgRepository) { self.open = open }

    /// One that could not be opened is tried again by the next caller.
    func repository() async throws -> BorgRepository {
        let task = opening ?? Task { [open] in try await open() }
        opening = task
        do {
            return try await withTaskCancellationHandler {
                try await task.value
            } onCancel: {
                task.cancel()
            }
        } catch {
            if opening == task { opening = nil }
            throw error
        }
    }
}
