import Checksums
import DumpCore
import Linux
import Staging
import SystemPackage

extension BorgRepository {
    /// Reads an archive's listing and manifest back from the repository and throws unless both are the set's.
    func confirm(_ attempt: Attempt, reportedID: String) async throws(BorgError) {
        let found: Acceptance.ReadBack
        do throws(BorgError) {
            // Two at once, Borg 2 (b22) fails now and then: it lists the locks, and one of them is gone when it reads it.
            found =
                try await version().isSecond
                ? readBackInTurn(attempt) : readBack(attempt, lockWait: min(settings.lockWait, .seconds(5)))
        } catch {
            guard error.code == .locked else { throw error }
            found = try await readBackInTurn(attempt)
        }
        try requireNone(attempt.acceptance.violations(reportedID: reportedID, found), attempt)
    }

    /// Listing and manifest at once: most of the time that each takes is Python's start. Both readers may meet at the repository's lock.
    /// Borg then retries one of them after a tenth of `lockWait`, so `lockWait` must be short.
    private func readBack(_ attempt: Attempt, lockWait: Duration) async throws(BorgError) -> Acceptance.ReadBack {
        async let comparing = Result.awaiting { () async throws(BorgError) in
            try await comparison(of: attempt, lockWait)
        }
        async let reading = Result.awaiting { () async throws(BorgError) in
            try await manifestSHA256(of: attempt.name, lockWait)
        }
        let (listed, digest) = await (comparing, reading)
        return Acceptance.ReadBack(listed: try listed.get(), manifestSHA256: try digest.get())
    }

    /// Another process holds the lock.
    private func readBackInTurn(_ attempt: Attempt) async throws(BorgError) -> Acceptance.ReadBack {
        Acceptance.ReadBack(
            listed: try await comparison(of: attempt, settings.lockWait),
            manifestSHA256: try await manifestSHA256(of: attempt.name, settings.lockWait))
    }

    private func comparison(
        of attempt: Attempt, _ lockWait: Duration
    ) async throws(BorgError) -> SetComparison.Result {
        let comparison = SetComparison(with: attempt.sealed)
        let version = try await version()
        let outcome = try await run(
            ["list", version.archive(attempt.name), "--format", version.listingFormat], lockWait: lockWait,
            output: .pieces(comparison.take))
        do {
            try requireSuccess(outcome, "list")
        } catch {
            // An archive that is not there lists nothing; any other failure shows nothing.
            guard error.code == .archiveMissing else { throw error }
        }
        return try await result(of: comparison, attempt)
    }

    private func result(of comparison: SetComparison, _ attempt: Attempt) async throws(BorgError)
        -> SetComparison.Result
    {
        do {
            return try await onOwnThread { () throws(Errno) in try comparison.finish() }
        } catch {
            let directory = attempt.set.workspace
            throw BorgError(
                .failed, "cannot keep the listing of the archive in \(directory) to compare it with the set: \(error)",
                hint: "Make room on the file system of \(directory), then run muster archive.", underlying: error)
        }
    }

    /// Nil if the archive, or the manifest in it, is not there.
    private func manifestSHA256(of archive: String, _ lockWait: Duration) async throws(BorgError) -> String? {
        let bytes: [UInt8]?
        do {
            bytes = try await manifestBytes(in: try await version().archive(archive), lockWait: lockWait)
        } catch {
            guard error.code == .archiveMissing else { throw error }
            return nil
        }
        guard let bytes else { return nil }
        do {
            return try sha256(of: bytes)
        } catch {
            throw BorgError(.failed, error)
        }
    }
}
