import DumpCore
import Linux
import Processes
import Staging
import SystemPackage

/// An archive that was shown to hold exactly one set.
public struct ConfirmedArchive: Sendable, Hashable {
    public var archive: Archive
    /// Files of the set, those that Borg read in place among them, and their bytes.
    public var files: Int
    public var bytes: Int64
    /// What the repository grew by, compressed.
    public var storedBytes: Int64
    /// For the creation, and for the confirmation after it.
    public var creation: Duration
    public var confirmation: Duration
    /// The repository that it is in; nil if Borg does not say.
    public var repository: KnownRepository?
    /// Borg's files cache, for the next archive; nil if the next must not believe it.
    public var filesCache: FilesCache?
}

extension BorgRepository {
    /// Archives a set and confirms the archive.
    ///
    /// Returns only if the archive was shown to hold exactly the set, see `Acceptance`. After a throw there is no archive of
    /// this attempt: whatever was made is deleted, also when the task is cancelled. If even that fails, the error says so and
    /// names it in `untrustedArchive`. Other archives are never touched.
    ///
    /// - Parameters:
    ///   - set: at its final place; Borg finds unchanged files by their full path.
    ///   - begun: its name and comment. The caller has noted them: whatever a crash leaves is known for what it is.
    ///   - cache: the files that Borg may skip unread. No inode of a set in it may have been free while files of this one were made: a
    ///     file that keeps its size and time of modification when it changes, and gets the inode that the one before it had, would
    ///     pass for that one. Nil, or one that is not there as it was, has Borg read all.
    ///   - onProgress: told a few times a second.
    ///   - stillGood: asked once Borg has read all that it will; what it throws fails the archive. Of a set with trees that Borg reads in place.
    public func create(
        _ set: SealedSet, as begun: BegunArchive, knowing cache: FilesCache? = nil,
        onProgress: @escaping @Sendable (ArchiveProgress) -> Void = { _ in },
        stillGood: () async throws(DumpError) -> Void = {}
    ) async throws(BorgError) -> ConfirmedArchive {
        let attempt: Attempt
        do {
            attempt = try Attempt(set, begun)
        } catch {
            throw BorgError(.failed, error)
        }
        let borgLog = BorgLog(onProgress: onProgress)
        log.info("creating the archive", metadata: ["repository": "\(name)", "archive": "\(attempt.name)"])
        let clock = ContinuousClock()
        let start = clock.now
        let cache = cache.flatMap { $0.isThere ? $0 : nil }
        let token = cache?.token ?? FilesCache.newToken()
        let document: CreateDocument
        do {
            document = try await create(attempt, token, knowingFiles: cache != nil, log: borgLog)
        } catch {
            // When Borg got no further than the door there is nothing to look for, and no reason to wait for a lock once more.
            guard borgLog.messages.createBegan || error.code == .notFaithful else { throw error.about(attempt.name) }
            // What was lost under Borg's hands shows first as files that it could not read.
            let cause = error.code == .notFaithful ? await loss(stillGood) ?? error : error
            throw await withdrawing(attempt, after: cause)
        }
        let created = clock.now
        StopPoint.passing("created")
        do throws(BorgError) {
            if let loss = await loss(stillGood) { throw loss }
            if let known = document.known { try requireEncryption(of: known) }
            try await confirm(attempt, reportedID: document.archive.id)
        } catch {
            throw await withdrawing(attempt, after: error)
        }
        var confirmed = ConfirmedArchive(
            attempt, document, creation: created - start, confirmation: clock.now - created)
        confirmed.repository = document.known
        confirmed.filesCache = filesCache(token, after: cache, document)
        return confirmed
    }

    /// The cache that Borg has left, if the next archive may believe it.
    private func filesCache(_ token: String, after former: FilesCache?, _ document: CreateDocument) -> FilesCache? {
        guard let former else { return document.cache?.path.flatMap { FilesCache(token, in: $0) } }
        let left = FilesCache(token, in: former.directory)
        // Borg replaces the file each time. If it did not, it has one at another place, and under this token there are two now.
        return left == former ? nil : left
    }

    /// Nil if all that Borg has read in place still is what it was.
    private func loss(_ stillGood: () async throws(DumpError) -> Void) async -> BorgError? {
        do {
            try await stillGood()
            return nil
        } catch {
            return BorgError(.notFaithful, error)
        }
    }

    private func create(
        _ attempt: Attempt, _ token: String, knowingFiles knowsFiles: Bool, log: BorgLog
    ) async throws(BorgError) -> CreateDocument {
        let outcome = try await run(
            try await createArguments(attempt, knowingFiles: knowsFiles), in: attempt.set.root,
            // Only the files of the last archive are of use.
            variables: ["BORG_FILES_CACHE_SUFFIX": token, "BORG_FILES_CACHE_TTL": "1"],
            output: .collect(limit: 1024 * 1024), log: log)
        guard outcome.status == .exited(0) || outcome.status.isWarning else { throw failure(outcome, "create") }
        try requireNone(attempt.acceptance.violations(of: outcome), attempt)
        // Without violations there is one.
        return CreateDocument(outcome.output)!
    }

    private func createArguments(
        _ attempt: Attempt, knowingFiles knowsFiles: Bool
    ) async throws(BorgError) -> [String] {
        let version = try await version()
        var arguments = ["create", "--json", "--list", "--filter=CE", "--progress"]
        // They do not tell where the cache is.
        if version.hasQuickStatistics, knowsFiles { arguments.append("--quick-stats") }
        arguments += ["--comment", attempt.provenance.comment]
        // What chattr sets is in no dump either, and an immutable file could not be moved once it was extracted.
        arguments.append("--noflags")
        arguments += ["--files-cache", filesCacheMode(attempt, knowingFiles: knowsFiles)]
        arguments += settings.creation.arguments
        // What is in the set's directory, not `.`: extracting an archive must not change the directory it is extracted into.
        return arguments + [version.archive(attempt.name), "--"] + attempt.topLevelNames
            + attempt.references.map(\.path.string)
    }

    private func filesCacheMode(_ attempt: Attempt, knowingFiles knowsFiles: Bool) -> String {
        // What others write may have changed without its other times telling, and a time of change tells of a reused inode too.
        guard attempt.references.isEmpty else { return "ctime,size,inode" }
        // Without the inode's change time: a hard link more or less, as publishing makes them, would have the file read again.
        return knowsFiles ? "mtime,size,inode" : "rechunk,mtime"
    }

    func requireNone(_ violations: [Acceptance.Violation], _ attempt: Attempt) throws(BorgError) {
        guard let first = violations.first else { return }
        throw BorgError(
            .notFaithful,
            "archive '\(attempt.name)' in repository '\(name)' is not a faithful copy of the set: \(first.found)",
            hint: first.clause.hint,
            context: [
                "location": settings.location,
                "violated": violations.map { "\($0.clause.rawValue): \($0.found)" }.joined(separator: "\n"),
            ])
    }
}

extension ConfirmedArchive {
    fileprivate init(_ attempt: Attempt, _ document: CreateDocument, creation: Duration, confirmation: Duration) {
        let made = document.archive
        self.init(
            archive: Archive(
                name: made.name, id: made.id, start: made.start.timestamp, provenance: attempt.provenance),
            files: attempt.sealed.files, bytes: attempt.sealed.bytes,
            storedBytes: made.stats.storedBytes, creation: creation, confirmation: confirmation)
    }
}
