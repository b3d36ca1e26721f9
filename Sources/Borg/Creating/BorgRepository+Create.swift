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
    ///   - time: of the archive's name.
    ///   - knowsFiles: whether Borg may skip files of the set's own that it knows unread. For that, no inode of a set that it knows
    ///     files of may have been free while files of this one were made: a file that keeps its size and time of modification
    ///     when it changes, and gets the inode that the one before it had, would pass for that one.
    ///   - onProgress: told a few times a second.
    ///   - stillGood: asked once Borg has read all that it will; what it throws fails the archive. Of a set with trees that Borg reads in place.
    public func create(
        _ set: SealedSet, at time: Timestamp = .now, knowingFiles knowsFiles: Bool = false,
        onProgress: @escaping @Sendable (ArchiveProgress) -> Void = { _ in },
        stillGood: () async throws(DumpError) -> Void = {}
    ) async throws(BorgError) -> ConfirmedArchive {
        let attempt: Attempt
        do {
            attempt = try Attempt(set, at: time)
        } catch {
            throw BorgError(.failed, error.message, hint: error.hint, context: error.context, underlying: error)
        }
        let borgLog = BorgLog(onProgress: onProgress)
        log.info("creating the archive", metadata: ["repository": "\(name)", "archive": "\(attempt.name)"])
        let clock = ContinuousClock()
        let start = clock.now
        let document: CreateDocument
        do {
            document = try await create(attempt, knowingFiles: knowsFiles, log: borgLog)
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
            try await confirm(attempt, reportedID: document.archive.id)
        } catch {
            throw await withdrawing(attempt, after: error)
        }
        return ConfirmedArchive(
            attempt, document, creation: created - start, confirmation: clock.now - created)
    }

    /// Nil if all that Borg has read in place still is what it was.
    private func loss(_ stillGood: () async throws(DumpError) -> Void) async -> BorgError? {
        do {
            try await stillGood()
            return nil
        } catch {
            return BorgError(.notFaithful, error.message, hint: error.hint, context: error.context, underlying: error)
        }
    }

    private func create(
        _ attempt: Attempt, knowingFiles knowsFiles: Bool, log: BorgLog
    ) async throws(BorgError) -> CreateDocument {
        let outcome = try await run(
            try await createArguments(attempt, knowingFiles: knowsFiles), in: attempt.set.root,
            variables: filesCache(of: attempt.provenance.series),
            output: .collect(limit: 1024 * 1024), log: log)
        guard outcome.status == .exited(0) || outcome.status.isWarning else { throw failure(outcome, "create") }
        try requireNone(attempt.acceptance.violations(of: outcome), attempt)
        // Without violations there is one.
        return CreateDocument(outcome.output)!
    }

    /// The series has a cache of its own, with the files of the last archive only: no other job's archives age it, and it is known which
    /// sets they were in.
    private func filesCache(of series: ArchiveSeries) -> [String: String] {
        [
            "BORG_FILES_CACHE_SUFFIX": "\(escapedPathComponent("\(series.host)-\(series.job)"))",
            "BORG_FILES_CACHE_TTL": "1",
        ]
    }

    private func createArguments(
        _ attempt: Attempt, knowingFiles knowsFiles: Bool
    ) async throws(BorgError) -> [String] {
        let version = try await version()
        var arguments = ["create", "--json", "--list", "--filter=CE", "--progress"]
        if version.hasQuickStatistics { arguments.append("--quick-stats") }
        arguments += ["--comment", attempt.provenance.comment]
        // What chattr sets is in no dump either, and an immutable file could not be moved once it was extracted.
        arguments.append("--noflags")
        arguments += ["--files-cache", filesCacheMode(attempt, knowingFiles: knowsFiles)]
        arguments += settings.creation.arguments
        // What lies in the set's directory, not `.`: extracting an archive must not change the directory it is extracted into.
        return arguments + [version.archive(attempt.name), "--"] + attempt.set.topLevelNames
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
            "archive '\(attempt.name)' in repository '\(name)' is no faithful copy of the set: \(first.found)",
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
            files: attempt.entries.count(where: \.isFile), bytes: attempt.entries.reduce(0) { $0 + $1.bytes },
            storedBytes: made.stats.storedBytes, creation: creation, confirmation: confirmation)
    }
}

extension SealedSet {
    /// What lies in the set's own directory.
    fileprivate var topLevelNames: [String] { entries.filter { $0.path.components.count == 1 }.map(\.path.string) }
}
