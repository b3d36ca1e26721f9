import DumpCore

extension BorgRepository {
    /// Creates the repository if it does not exist and the settings say how. Returns whether it did.
    ///
    /// A repository that cannot be opened for any other reason is an error and stays as it is. A creation that was cut off
    /// leaves a directory that Borg takes neither for a repository nor for nothing; it is not removed.
    public func initializeIfMissing() async throws(BorgError) -> Bool {
        guard try await !exists() else { return false }
        let mode = try encryptionToCreateWith()
        log.notice("creating the repository", metadata: ["repository": "\(name)", "encryption": "\(mode.rawValue)"])
        let verb = try await version().initialize
        let outcome = try await run([verb, "--encryption", mode.rawValue])
        // Warnings are advice here: to keep the key at another place.
        guard outcome.status == .exited(0) else { throw failure(outcome, verb) }
        if mode != .none {
            log.notice(
                "store the key of the new repository at another place: borg key export",
                metadata: ["repository": "\(name)"])
        }
        return true
    }

    func encryptionToCreateWith() throws(BorgError) -> RepositorySettings.Encryption {
        guard let mode = settings.initialize else { throw error(of: .repositoryMissing) }
        guard mode == .none || environment.passphrase != nil else {
            throw BorgError(
                .passphraseMissing,
                "repository '\(name)' cannot be created with \(mode.rawValue): it has no passphrase",
                hint: "Set passphrase: to where one is kept, or initialize: to none.")
        }
        return mode
    }
}
