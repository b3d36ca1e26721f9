import DumpCore

extension BorgRepository {
    /// Finds Borg, its version, and whether the repository can be used or created. Changes nothing.
    ///
    /// Throws what would keep an archive from being made; the rest are findings.
    ///
    /// - Parameter knowsArchives: archives of ours were in it, so that it is never created anew.
    public func prepare(knowsArchives: Bool = false) async throws(BorgError) -> [Finding] {
        do throws(BorgError) {
            let exists = try await exists(lockWait: min(settings.lockWait, .seconds(5)))
            guard exists || !knowsArchives else { throw try await gone() }
            return try await isBeta() + (exists ? [] : [willBeCreated()])
        } catch {
            guard error.code == .locked else { throw error }
            return [
                Finding(
                    .warning, "repository_locked", object: name, "\(error.message), which may last",
                    hint: "An archive waits \(settings.lockWait.components.seconds) s for it.")
            ]
        }
    }

    /// Whether there is a repository at the location, which we may open.
    ///
    /// Only Borg's own word for it means that there is none: a list that fails for any other reason (no connection, a lock, a
    /// wrong passphrase) throws.
    func exists(lockWait: Duration? = nil) async throws(BorgError) -> Bool {
        let verb = try await version().listArchives
        let outcome = try await run([verb, "--json", "--last", "1"], lockWait: lockWait)
        guard outcome.status != .exited(0) else { return true }
        let error = failure(outcome, verb)
        guard error.code == .repositoryMissing else { throw error }
        return false
    }

    private func isBeta() async throws(BorgError) -> [Finding] {
        guard try await version().isSecond else { return [] }
        return [
            Finding(
                .warning, "borg_beta", object: name, "is used with Borg 2, which its makers have not released yet",
                hint: "Keep your only backups with Borg 1.4.")
        ]
    }

    private func willBeCreated() async throws(BorgError) -> Finding {
        let mode = try encryptionToCreateWith()
        _ = try await initialization(with: mode)
        return Finding(
            .note, "repository_missing", object: name, "does not exist and will be created, encryption \(mode.rawValue)"
        )
    }
}
