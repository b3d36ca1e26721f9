import Borg
import DumpCore
import Linux
import Staging

/// The way to one repository: what runs before have left there, the repository itself, the archive.
extension Run {
    func archive(
        _ set: SealedSet, in repository: BorgRepository, holding lock: StagingLock
    ) async throws -> ConfirmedArchive {
        var ledger = try await RepositoryLedger(of: repository.name, in: lock.area)
        await repository.recall(ledger.borg)
        try await settle(&ledger, in: repository, holding: lock)
        let isKnown = ledger.knowsArchives(at: repository.settings.location)
        // Whatever holds archives of ours is never created anew: it may lie on a disk that is not mounted.
        if !isKnown, try await repository.initializeIfMissing() {
            log.info("repository created", metadata: ["repository": "\(repository.name)"])
        }
        StopPoint.passing("initialized")
        try await exportKey(&ledger, of: repository, holding: lock)

        let knowsFiles = ledger.mayKnowFiles(keeping: await lock.area.keptRuns())
        if !knowsFiles, isKnown {
            log.info(
                "Borg reads every file again: the sets whose files it may know are gone",
                metadata: ["repository": "\(repository.name)"])
        }
        let begun = BegunArchive(of: set, at: startedAt)
        ledger.begin(begun)
        try await lock.writeRepositoryRecord(of: repository.name, ledger)
        StopPoint.passing("begun")
        let confirmed: ConfirmedArchive
        do {
            confirmed = try await create(set, in: repository, knowingFiles: knowsFiles, lock.area)
        } catch {
            if error.untrustedArchive == nil { ledger.drop(begun) }
            ledger.borg = nil
            try await lock.writeRepositoryRecord(of: repository.name, ledger)
            throw isKnown && error.code == .repositoryMissing ? try await repository.gone() : error
        }
        ledger.confirm(confirmed.archive, of: begun, at: repository.settings.location)
        ledger.borg = try await repository.knownBorg()
        try await lock.writeRepositoryRecord(of: repository.name, ledger)
        return confirmed
    }

    private func create(
        _ set: SealedSet, in repository: BorgRepository, knowingFiles knowsFiles: Bool, _ area: StagingArea
    ) async throws(BorgError) -> ConfirmedArchive {
        let display = display
        defer { display.show([]) }
        return try await repository.create(set, at: startedAt, knowingFiles: knowsFiles) { progress in
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
            throw DumpError(
                error.isAboutTheSet ? .damagedSet : .system, error.message, hint: error.hint, context: error.context,
                underlying: error)
        }
    }

    /// Once for each file that the job file names.
    private func exportKey(
        _ ledger: inout RepositoryLedger, of repository: BorgRepository, holding lock: StagingLock
    ) async throws {
        guard let path = repository.settings.keyExport, ledger.exportedKey != path.string else { return }
        try await repository.exportKey(to: path)
        ledger.exportedKey = path.string
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
