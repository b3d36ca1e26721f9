import Borg
import DumpCore
import Staging
import SystemPackage

extension ArchiveCatalog {
    /// What of a set will be looked at before anything is fetched: paths relative to the directories of dumps.
    public typealias Foresight = @Sendable (Manifest) -> [(dump: Manifest.DumpRecord, paths: [FilePath])]

    /// The set in the archive that `text` means, as `find` has it.
    ///
    /// This host's notes say, most of the time, which archive that will be. So its manifest is read while the repository is asked, together with
    /// what is foreseen by the manifest of the last set on this host. All of it is only believed once it is shown to be what was sealed.
    public func set(
        _ text: String, foreseeing foresight: @escaping Foresight = { _ in [] }
    ) async throws -> ArchivedSet {
        let likely = await likely(text)
        async let early = read(likely, foresight)
        let found = try await find(text)[0]
        let set = ArchivedSet(found)
        guard let likely, likely.repository == found.repository.name, likely.archive.id == found.archive.id else {
            return set
        }
        // Without it the manifest is read later, and what is wrong shows then.
        if let files = await early { await set.smallFiles.add(files) }
        return set
    }

    private struct LikelyArchive {
        var repository: String
        var archive: RepositoryLedger.Confirmed
    }

    /// By this host's notes alone; nil if they tell nothing of it.
    private func likely(_ text: String) async -> LikelyArchive? {
        var known: [LikelyArchive] = []
        for repository in repositories {
            let confirmed = await notes(of: repository.name)?.confirmed ?? []
            known += confirmed.reversed().map { LikelyArchive(repository: repository.name, archive: $0) }
        }
        guard text == Self.latest else {
            return known.first { $0.archive.archive == text || $0.archive.runID.description == text }
        }
        let last = known.max { ($0.archive.number ?? 0) < ($1.archive.number ?? 0) }
        return known.first { $0.archive.runID == last?.archive.runID }
    }

    private func read(_ likely: LikelyArchive?, _ foresight: Foresight) async -> [[UInt8]: [UInt8]]? {
        guard let likely, let source = repositories.first(where: { $0.name == likely.repository }),
            let repository = try? await source.open()
        else { return nil }
        await repository.recall(knownBorg(of: source.name))
        let archive = Archive(
            name: likely.archive.archive, id: likely.archive.id, start: likely.archive.confirmedAt, provenance: nil)
        return try? await repository.smallFiles(of: archive, at: await foreseen(foresight), tellsWarnings: false)
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
