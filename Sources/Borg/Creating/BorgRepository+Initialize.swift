import DumpCore

extension BorgRepository {
    /// Creates the repository if it does not exist and the settings say how. Returns whether it did.
    ///
    /// A repository that cannot be opened for any other reason is an error and stays as it is. A creation that was cut off
    /// leaves a directory that Borg takes neither for a repository nor for nothing; it is not removed.
    public func initializeIfMissing() async throws(BorgError) -> Bool {
        guard try await find() == nil else { return false }
        try await initialize()
        return true
    }

    /// Creates the repository, as the settings say.
    public func initialize() async throws(BorgError) {
        let mode = try encryptionToCreateWith()
        try requireMounted()
        try requireOwnDirectories()
        log.notice("creating the repository", metadata: ["repository": "\(name)", "encryption": "\(mode.rawValue)"])
        let arguments = try await initialization(with: mode)
        let outcome = try await run(arguments)
        // Warnings are advice here: to keep the key at another place.
        guard outcome.status == .exited(0) else { throw cutOff(failure(outcome, arguments[0])) }
        if mode != .none, settings.keyExport == nil {
            log.notice(
                "store a copy of the new repository's key on another host: set key_export:, or use borg key export",
                metadata: ["repository": "\(name)"])
        }
    }

    /// There was no repository when it began, so what holds no data now is what it has left.
    private func cutOff(_ error: BorgError) -> BorgError {
        guard let place, place.content == .unfinishedRepository else { return error }
        var error = error
        error.hint = (error.hint.map { $0 + " " } ?? "") + "Then remove what the creation left: rm -r \(place.path)"
        return error
    }

    /// The error about a repository that is not there although archives of this job were in it.
    public func gone() async throws(BorgError) -> BorgError {
        var error = error(of: .repositoryMissing)
        error.message = "repository '\(name)' is gone: archives of this job were in it"
        if let point = place?.unmountedPoint { error.context["not mounted"] = "\(point), which is in /etc/fstab" }
        var verb = "init …"
        if let mode = settings.initialize { verb = try await initialization(with: mode).joined(separator: " ") }
        error.hint =
            "Is its disk mounted, its server the right one? Only if its archives are given up: create it again with muster borg \(name) -- \(verb)"
        return error
    }

    func initialization(with mode: RepositorySettings.Encryption) async throws(BorgError) -> [String] {
        let version = try await version()
        if let arguments = version.initialization(with: mode) { return arguments }
        let modes = RepositorySettings.Encryption.allCases.filter { version.initialization(with: $0) != nil }
        throw BorgError(
            .settings, "Borg \(version) has no encryption \(mode.rawValue)",
            hint: "Set initialize: to one of \(modes.map(\.rawValue).joined(separator: ", ")).")
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
