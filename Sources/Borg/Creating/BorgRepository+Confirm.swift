import Checksums
import DumpCore
import Staging

extension BorgRepository {
    /// Reads an archive's listing and manifest back from the repository and throws unless both are the set's.
    func confirm(_ attempt: Attempt, reportedID: String) async throws(BorgError) {
        // One after the other. Two readers that meet at the repository's lock for an instant would cost a minute: Borg tries again
        // after a tenth of the time that it may wait.
        let listed = try await comparison(of: attempt)
        let readBack = Acceptance.ReadBack(listed: listed, manifestSHA256: try await manifestSHA256(of: attempt.name))
        try requireNone(attempt.acceptance.violations(reportedID: reportedID, readBack), attempt)
    }

    private func comparison(of attempt: Attempt) async throws(BorgError) -> SetComparison.Result {
        let comparison = SetComparison(attempt.set)
        let version = try await version()
        let outcome = try await run(
            ["list", version.archive(attempt.name), "--format", version.listingFormat],
            output: .pieces(comparison.take))
        do {
            try requireSuccess(outcome, "list")
        } catch {
            // An archive that is not there lists nothing; any other failure shows nothing.
            guard error.code == .archiveMissing else { throw error }
        }
        return comparison.finish()
    }

    /// Nil if the archive, or the manifest in it, is not there.
    private func manifestSHA256(of archive: String) async throws(BorgError) -> String? {
        let bytes: [UInt8]?
        do {
            bytes = try await manifestBytes(in: try await version().archive(archive))
        } catch {
            guard error.code == .archiveMissing else { throw error }
            return nil
        }
        guard let bytes else { return nil }
        do {
            return try sha256(of: bytes)
        } catch {
            throw BorgError(.failed, error.message, hint: error.hint, underlying: error)
        }
    }
}
