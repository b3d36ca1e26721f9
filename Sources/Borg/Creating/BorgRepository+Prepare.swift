import DumpCore

extension BorgRepository {
    /// Finds Borg, its version, and whether the repository can be used or created. Changes nothing.
    ///
    /// Throws what would keep an archive from being made; the rest are findings.
    ///
    /// - Parameters:
    ///   - knowsArchives: archives of ours were in it, so that it is never created anew.
    ///   - requirement: throws if what is there, nil for nothing, must not be used.
    public func prepare(
        knowsArchives: Bool = false, requiring requirement: (KnownRepository?) throws(BorgError) -> Void = { _ in }
    ) async throws(BorgError) -> [Finding] {
        do throws(BorgError) {
            let known = try await find(lockWait: min(settings.lockWait, .seconds(5)))
            guard known != nil || !knowsArchives else { throw try await gone() }
            try requirement(known)
            guard let known else { return try await isBeta() + [willBeCreated()] }
            return try await isBeta() + isReadable(known)
        } catch {
            guard error.code == .locked else { throw error }
            return [
                Finding(
                    .warning, "repository_locked", object: name, "\(error.message), which may last",
                    hint: "An archive waits \(settings.lockWait.components.seconds) s for it.")
            ]
        }
    }

    /// The repository at the location, if there is one, which we may open and are to use.
    ///
    /// Only Borg's own word for it means that there is none: a list that fails for any other reason (no connection, a lock, a
    /// wrong passphrase) throws. So does a repository without the encryption that the job wants.
    public func find(lockWait: Duration? = nil) async throws(BorgError) -> KnownRepository? {
        let verb = try await version().listArchives
        let outcome = try await run(
            [verb, "--json", "--last", "1"], lockWait: lockWait, output: .collect(limit: Self.largestDocument))
        guard outcome.status != .exited(0) else {
            let known = try understood(RepositoryDocument.self, in: outcome, "list").known
            try requireEncryption(of: known)
            return known
        }
        let error = failure(outcome, verb)
        guard error.code == .repositoryMissing else { throw error }
        return nil
    }

    private func isReadable(_ known: KnownRepository) -> [Finding] {
        guard known.isReadable, settings.encryption == nil, settings.initialize == nil else { return [] }
        return [
            Finding(
                .warning, "repository_not_encrypted", object: name, "is not encrypted: its host can read all archives",
                hint: "If it is to be so, write encryption: none.")
        ]
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
