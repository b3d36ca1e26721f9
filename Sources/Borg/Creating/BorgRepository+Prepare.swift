import DumpCore
import Glibc
import Linux
import SystemPackage

/// A repository that was looked at and could be used, or created.
public struct ExaminedRepository: Sendable {
    /// Borg's; nil if there is none yet, or its lock kept us from asking.
    public var id: String?
    public var findings: [Finding]
}

extension BorgRepository {
    /// Finds Borg, its version, and whether the repository can be used or created. Changes nothing.
    ///
    /// Throws what would keep an archive from being made; the rest are findings.
    ///
    /// - Parameters:
    ///   - knowsArchives: archives of this job were in it, so that it is never created again.
    ///   - requirement: throws if what is there, nil for nothing, must not be used.
    public func prepare(
        knowsArchives: Bool = false, requiring requirement: (KnownRepository?) throws(BorgError) -> Void = { _ in }
    ) async throws(BorgError) -> ExaminedRepository {
        do throws(BorgError) {
            let beta = try await isBeta()
            try requireOwnDirectories()
            let known = try await find(lockWait: min(settings.lockWait, .seconds(5)))
            guard known != nil || !knowsArchives else { throw try await gone() }
            try requirement(known)
            guard let known else { return ExaminedRepository(findings: beta + [try await willBeCreated()]) }
            return ExaminedRepository(id: known.id, findings: beta + isReadable(known))
        } catch {
            guard error.code == .locked else { throw try await explained(error, knowsArchives: knowsArchives) }
            let locked = Finding(
                .warning, "repository_locked", object: name, "\(error.message), which may last",
                hint: "An archive waits \(settings.lockWait.components.seconds) s for it.")
            return ExaminedRepository(findings: [locked])
        }
    }

    /// The repository at the location, or nil if there is none. Throws unless we may open it and the job should use it.
    ///
    /// Only Borg's own word for it means that there is no repository. A list that fails for any other reason (no connection, a lock, a
    /// wrong passphrase) throws. So does a repository without the encryption that the job wants. An empty directory is not a repository:
    /// Borg creates one in it.
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
        switch error.code {
        case .repositoryMissing: return nil
        case .notARepository where place?.content == .emptyDirectory: return nil
        case .notARepository where place?.content == .unfinishedRepository: throw unfinished(error)
        case .notARepository where place == nil && settings.initialize != nil: throw perhapsEmpty(error)
        default: throw error
        }
    }

    /// An error of a repository by what this host knows of it.
    ///
    /// - Parameter knowsArchives: archives of this job were in it.
    public func explained(_ error: BorgError, knowsArchives: Bool) async throws(BorgError) -> BorgError {
        guard knowsArchives else { return error }
        switch error.code {
        case .repositoryMissing: return try await gone()
        case .notARepository:
            guard place?.content != .emptyDirectory else { return try await gone() }
            var error = error
            error.message += ": archives of this job were in it"
            error.hint =
                "Is its disk mounted, and whole? Leave everything that is there as it is, and find out what happened to it."
            return error
        default: return error
        }
    }

    /// Nil for a repository on a server.
    var place: LocalPlace? { settings.localPath.map { LocalPlace(path: $0) } }

    /// On a server there is no telling.
    private func perhapsEmpty(_ error: BorgError) -> BorgError {
        var error = error
        error.hint = (error.hint.map { $0 + " " } ?? "") + "An empty directory can go: Borg makes its own."
        return error
    }

    private func unfinished(_ error: BorgError) -> BorgError {
        var error = error
        error.message = "the creation of repository '\(name)' was cut off, and left half a repository"
        error.hint = "It holds no data. Remove it, and the next run creates it: rm -r \(place?.path.string ?? "")"
        return error
    }

    /// Throws unless Borg can write its own files. Without them it fails, and leaves half a repository where it was to create one.
    func requireOwnDirectories() throws(BorgError) {
        guard let obstacle = environment.directories.obstacle,
            let fault = BorgFault.ofSystem(obstacle.number, at: .ownFiles(obstacle.path))
        else { return }
        var error = error(of: fault)
        error.context["reason"] = "\(obstacle.path): \(Errno(rawValue: obstacle.number))"
        throw error
    }

    private func isReadable(_ known: KnownRepository) -> [Finding] {
        guard known.isReadable, settings.encryption == nil, settings.initialize == nil else { return [] }
        return [
            Finding(
                .warning, "repository_not_encrypted", object: name, "is not encrypted: its host can read all archives",
                hint: "If you accept that, write encryption: none.")
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
        try await requireParent()
        return Finding(
            .note, "repository_missing", object: name, "does not exist and will be created, encryption \(mode.rawValue)"
        )
    }

    /// Throws if a repository on this host would be created where its disk is not.
    func requireMounted() throws(BorgError) {
        guard let point = place?.unmountedPoint else { return }
        throw BorgError(
            .settings, "repository '\(name)' is not created: nothing is mounted at \(point), which is in /etc/fstab",
            hint: "Mount its disk: mount \(point)", context: ["location": settings.location])
    }

    /// Throws if the directory is missing, or closed to us, that the repository is to be created in.
    private func requireParent() async throws(BorgError) {
        if let place {
            try requireMounted()
            guard place.content == .nothing, let number = place.parentObstacle else { return }
            throw error(
                of: number == ENOENT ? .parentMissing : BorgFault.ofSystem(number, at: .repository) ?? .parentMissing)
        }
        guard let parent = settings.parentLocation else { return }
        // Borg has no question for that, but its errors differ for a directory that is not a repository and for no directory at all.
        let outcome = try await run(
            [try await version().listArchives, "--json", "--last", "1"], variables: ["BORG_REPO": parent])
        if outcome.status != .exited(0), failure(outcome, "list").code == .repositoryMissing {
            throw error(of: .parentMissing)
        }
    }
}

extension RepositorySettings {
    /// What Borg would call the directory that a repository on a server is in. Nil where that is the user's home or the root, which are
    /// there, and where placeholders stand for it.
    var parentLocation: String? {
        guard isRemote else { return nil }
        let trimmed = location.last == "/" ? String(location.dropLast()) : location
        guard let slash = trimmed.lastIndex(ofASCII: "/") else { return nil }
        let parent = trimmed[..<slash]
        let path = parent.firstMatch(of: /^(ssh:\/\/[^\/]*\/|[^:]*:)(.*)$/)?.output.2
        guard let path, !["", ".", "~", "/", "/.", "/~"].contains(String(path)), !path.contains("{") else { return nil }
        return String(parent)
    }
}
