import DumpCore

extension BorgRepository {
    /// Finds Borg, its version, and whether the repository can be used or created. Changes nothing.
    ///
    /// Throws what would keep an archive from being made; the rest are findings.
    public func prepare() async throws(BorgError) -> [Finding] {
        do {
            guard try await exists(lockWait: min(settings.lockWait, .seconds(5))) else { return [try willBeCreated()] }
            return []
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

    private func willBeCreated() throws(BorgError) -> Finding {
        let mode = try encryptionToCreateWith()
        return Finding(
            .note, "repository_missing", object: name, "does not exist and will be created, encryption \(mode.rawValue)"
        )
    }
}
