import Borg
import DumpCore
import Staging
import SystemPackage

extension ArchiveCatalog {
    /// What of a set will be looked at before anything is fetched: paths relative to the directories of dumps.
    public typealias Foresight = @Sendable (Manifest) -> [(dump: Manifest.DumpRecord, paths: [FilePath])]

    /// The set in the archive that `text` means, as `find` has it, with its manifest read.
    ///
    /// One Borg reads the manifest and what is foreseen by that of the last set on this host. All of it is believed only once it is shown to be
    /// what was sealed. Never two Borgs at once: where they meet at the repository's lock, one of them sleeps for a tenth of `lock_wait`.
    ///
    /// - Parameter trustsNotes: whether this host's notes of what it confirmed may do in place of a list of the archives. Newer archives of
    ///   another host are not noticed then.
    public func set(
        _ text: String, foreseeing foresight: @escaping Foresight = { _ in [] }, trustsNotes: Bool = false
    ) async throws -> ArchivedSet {
        // What was pruned elsewhere, or is damaged: then the repository is asked, and says what is wrong.
        if trustsNotes, let noted = await noted(text), let set = try? await readAhead(noted, foresight) { return set }
        let found = try await find(text)[0]
        guard let set = try? await readAhead(found, foresight) else {
            try Task.checkCancellation()
            return ArchivedSet(found)
        }
        return set
    }

    private func readAhead(_ archive: CatalogedArchive, _ foresight: Foresight) async throws -> ArchivedSet {
        let set = ArchivedSet(archive)
        await set.smallFiles.add(
            try await archive.repository.smallFiles(
                of: archive.archive, at: await foreseen(foresight), tellsWarnings: false))
        _ = try await set.manifest()
        return set
    }

    /// What this host noted of the archive that `text` means; nil if that is not enough to read it.
    private func noted(_ text: String) async -> CatalogedArchive? {
        var known: [(source: Source, archive: RepositoryLedger.Confirmed)] = []
        for repository in repositories {
            let confirmed = await notes(of: repository.name)?.confirmed ?? []
            known += confirmed.reversed().map { (repository, $0) }
        }
        let last = known.max { ($0.archive.number ?? 0) < ($1.archive.number ?? 0) }?.archive.runID
        let meant = known.first { _, archive in
            text == Self.latest ? archive.runID == last : archive.archive == text || archive.runID.description == text
        }
        guard let meant, let provenance = meant.archive.comment.flatMap(Provenance.init(comment:)),
            let repository = try? await meant.source.open()
        else { return nil }
        await repository.recall(knownBorg(of: meant.source.name))
        let archive = Archive(
            name: meant.archive.archive, id: meant.archive.id, start: meant.archive.confirmedAt, provenance: provenance)
        return CatalogedArchive(
            repository: repository, archive: archive, standing: .confirmed, confirmation: meant.archive)
    }

    private func foreseen(_ foresight: Foresight) async -> [FilePath] {
        let manifest = [ArchivedSet.manifestPath]
        guard let staging, let last = try? await StoredSet(at: staging.appending("current")).manifest() else {
            return manifest
        }
        return manifest
            + foresight(last).flatMap { dump, paths -> [FilePath] in
                let places = paths.map { dump.directory.pushing($0) }
                // The manifest itself vouches for an inventory.
                let list = places.allSatisfy { $0 == dump.inventoryPath } ? [] : [FilePath(dump.checksums.path)]
                return places.map { dump.pathInArchive(of: $0) } + list
            }
    }
}
