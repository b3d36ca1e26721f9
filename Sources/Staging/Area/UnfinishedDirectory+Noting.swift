import DumpCore
import Logging
import SystemPackage

extension UnfinishedDirectory {
    /// Runs `work`, which makes the directory and leaves none; should it be killed, `muster status` names what it left.
    ///
    /// Where there is no staging area that can say so, nothing is made, and the work is done all the same.
    public func noted<Result>(
        in staging: FilePath, log: Logger, _ work: () async throws -> Result
    ) async throws -> Result {
        let id = RunID(start: at)
        guard let area = await recorded(in: staging, as: id, log) else { return try await work() }
        return try await withCleanup(work) {
            do {
                try await area.forgetUnfinished(id)
            } catch {
                log.debug("a record of a directory stays", metadata: ["why": "\(error)"])
            }
        }
    }

    private func recorded(in staging: FilePath, as id: RunID, _ log: Logger) async -> StagingArea? {
        do {
            guard let area = try await StagingArea.openExisting(staging) else { return nil }
            try await area.record(self, as: id)
            return area
        } catch {
            log.debug("a kill would leave a directory that no record names", metadata: ["why": "\(error.message)"])
            return nil
        }
    }
}
