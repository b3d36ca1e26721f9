import Borg
import DumpCore
import Linux
import Staging

extension Run {
    /// One archive of the set in a repository, with retries, as the job says, after a transient failure. What an attempt left
    /// in the repository is settled by the next.
    func archivePersistently(
        _ set: SealedSet, in repository: BorgRepository, holding lock: StagingLock
    ) async throws -> ConfirmedArchive {
        var attempt = 1
        while true {
            do {
                return try await archive(set, in: repository, holding: lock)
            } catch let error as any OperatorError where error.isTransient && attempt <= repository.settings.retry.times
            {
                let wait = repository.settings.retry.wait(after: attempt)
                log.warning(
                    "retrying the archive after a transient failure",
                    metadata: [
                        "repository": "\(repository.name)", "error": "\(error.message)", "after": "\(wait)",
                    ])
                // Throws only when the run is cancelled, and then this failure is the last.
                guard (try? await SignOfLife.sleep(for: wait)) != nil else { throw error }
                attempt += 1
            }
        }
    }
}
