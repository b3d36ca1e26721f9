import Borg
import Catalog
import DumpCore
import Linux
import Reporting
import Staging

/// The way to one repository: what runs before have left there, the repository itself, the archive.
extension Run {
    func archive(
        _ set: SealedSet, in repository: BorgRepository, holding lock: StagingLock
    ) async throws -> ConfirmedArchive {
        var ledger = try await RepositoryLedger(of: repository.name, in: lock.area)
        await repository.recall(ledger.borg)
        let known = try await enter(repository, ledger)
        try await requireOnlyOnce(repository, known, in: lock.area)
        try await settle(&ledger, in: repository, holding: lock)
        StopPoint.passing("initialized")
        try await exportKey(&ledger, of: repository, known, holding: lock)

        let isKnown = ledger.knowsArchives(at: repository.settings.location)
        let cache = await ledger.believableCache(for: set, in: lock.area)
        if cache == nil, isKnown {
            log.info(
                "Borg reads every file again: its files cache may not be of the last archive",
                metadata: ["repository": "\(repository.name)"])
        }
        let begun = try await begin(set, in: &ledger, of: repository, holding: lock)
        let confirmed: ConfirmedArchive
        do {
            confirmed = try await create(set, as: begun, in: repository, knowing: cache, lock.area)
        } catch {
            if error.untrustedArchive == nil { ledger.drop(begun) }
            ledger.borg = nil
            try await lock.writeRepositoryRecord(of: repository.name, ledger)
            throw try await repository.explained(error, knowsArchives: isKnown)
        }
        try await note(confirmed, of: begun, in: &ledger, of: repository, holding: lock)
        if let known, let now = confirmed.repository, now.id != known.id {
            try await welcome(now, in: &ledger, of: repository, holding: lock)
        }
        return confirmed
    }

    /// Another repository has taken the place of the one that the archive was begun in.
    private func welcome(
        _ other: KnownRepository, in ledger: inout RepositoryLedger, of repository: BorgRepository,
        holding lock: StagingLock
    ) async throws {
        log.warning(
            "another repository is at this location: archives confirmed in the former one are not in it",
            metadata: ["repository": "\(repository.name)", "location": "\(repository.settings.location)"])
        try await exportKey(&ledger, of: repository, other, holding: lock)
    }

    private func note(
        _ confirmed: ConfirmedArchive, of begun: BegunArchive, in ledger: inout RepositoryLedger,
        of repository: BorgRepository, holding lock: StagingLock
    ) async throws {
        ledger.confirm(
            confirmed.archive, of: begun, at: repository.settings.location, number: await nextNumber(in: lock.area),
            in: confirmed.repository)
        ledger.keep(confirmed.filesCache, in: lock.area)
        ledger.borg = try await repository.knownBorg()
        try await lock.writeRepositoryRecord(of: repository.name, ledger)
    }

    /// Finds the repository, or creates it. Asks Borg only if the last archive was not confirmed at this very location.
    private func enter(
        _ repository: BorgRepository, _ ledger: RepositoryLedger
    ) async throws(BorgError) -> KnownRepository? {
        // A repository that holds archives of this job is never created again: it may be on a disk that is not mounted.
        let isKnown = ledger.knowsArchives(at: repository.settings.location)
        if isKnown, let known = ledger.repository {
            try repository.requireEncryption(of: known)
            return known
        }
        let found = try await repository.find()
        try ledger.requireLocation(of: repository, holding: found)
        if found != nil { return found }
        guard !isKnown else { throw try await repository.gone() }
        try await repository.initialize()
        log.info("repository created", metadata: ["repository": "\(repository.name)"])
        return try await repository.find()
    }

    /// Throws if the repository is one of the job's others: that would be one copy, and no second.
    private func requireOnlyOnce(
        _ repository: BorgRepository, _ known: KnownRepository?, in area: StagingArea
    ) async throws {
        for other in job.allRepositories where other.name != repository.name {
            let ledger = try await RepositoryLedger(of: other.name, in: area)
            guard let known, ledger.repository?.id == known.id, ledger.location == other.settings.location else {
                continue
            }
            throw BorgError(
                .settings, "'\(other.name)' and '\(repository.name)' are the same repository",
                hint: "Leave one of them out of the job file: it is not a second copy.",
                context: ["location": repository.settings.location])
        }
    }

    /// Notes the archive, under a name that is not in the ledger, before Borg starts on it.
    private func begin(
        _ set: SealedSet, in ledger: inout RepositoryLedger, of repository: BorgRepository, holding lock: StagingLock
    ) async throws -> BegunArchive {
        let time = ledger.vacantTime(from: record.startedAt, in: ArchiveSeries(of: set.manifest))
        let begun = BegunArchive(of: set, at: time, by: try await lock.area.jobRecord()?.id)
        ledger.begin(begun)
        try await lock.writeRepositoryRecord(of: repository.name, ledger)
        StopPoint.passing("begun")
        return begun
    }

    private func create(
        _ set: SealedSet, as begun: BegunArchive, in repository: BorgRepository, knowing cache: FilesCache?,
        _ area: StagingArea
    ) async throws(BorgError) -> ConfirmedArchive {
        let display = display
        defer { display.show([]) }
        return try await repository.create(set, as: begun, knowing: cache) { progress in
            display.show([
                ProgressLine(
                    .archive, name: repository.name,
                    progress: UnitProgress(bytes: progress.bytes, expectedBytes: set.manifest.archivedBytes))
            ])
        } stillGood: { () async throws(DumpError) in
            try await requireInPlace(set, in: area)
            try await requireUnchanged(set, in: area)
        }
    }

    /// What Borg read is what was sealed if it still is that.
    private func requireUnchanged(_ set: SealedSet, in area: StagingArea) async throws(DumpError) {
        do {
            try await area.requireUnchanged(set)
        } catch {
            throw DumpError(error.isAboutTheSet ? .damagedSet : .system, error)
        }
    }

    /// Greater than that of any archive that the job has confirmed.
    private func nextNumber(in area: StagingArea) async -> Int {
        var last = 0
        for repository in job.allRepositories {
            // What is noted of another repository and cannot be read fails the archive there.
            let ledger = try? await RepositoryLedger(of: repository.name, in: area)
            last = max(last, ledger?.confirmed.compactMap(\.number).max() ?? 0)
        }
        return min(last, .max - 1) + 1
    }

    /// Once for each file that the job file names, and each repository.
    private func exportKey(
        _ ledger: inout RepositoryLedger, of repository: BorgRepository, _ known: KnownRepository?,
        holding lock: StagingLock
    ) async throws {
        guard let path = repository.settings.keyExport, ledger.needsKey(of: known, in: path.string) else { return }
        try await repository.exportKey(to: path)
        ledger.exportedKey = path.string
        ledger.exportedKeyOf = known?.id
        try await lock.writeRepositoryRecord(of: repository.name, ledger)
    }

    /// Deletes what was begun here and never confirmed.
    private func settle(
        _ ledger: inout RepositoryLedger, in repository: BorgRepository, holding lock: StagingLock
    ) async throws {
        for entry in ledger.begun {
            if let begun = entry.begunArchive, try await repository.removeIfPresent(begun) {
                log.warning(
                    "deleted an archive that was never confirmed",
                    metadata: ["repository": "\(repository.name)", "archive": "\(begun.name)"])
            }
            ledger.begun.removeAll { $0 == entry }
            try await lock.writeRepositoryRecord(of: repository.name, ledger)
        }
    }
}

extension BorgRepository {
    /// A repository that does not exist, or no more, has no archive.
    fileprivate func removeIfPresent(_ begun: BegunArchive) async throws(BorgError) -> Bool {
        do {
            return try await remove(begun)
        } catch {
            guard error.code == .repositoryMissing else { throw error }
            return false
        }
    }
}
