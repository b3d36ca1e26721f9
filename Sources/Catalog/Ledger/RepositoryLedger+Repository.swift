import Borg
import DumpCore
import Linux
import Staging
import SystemPackage

/// What the ledger tells of the repository itself, and of what Borg knows.
extension RepositoryLedger {
    /// Throws if archives were confirmed at another location, unless the repository they are in is the one that is found.
    public func requireLocation(of repository: BorgRepository, holding found: KnownRepository?) throws(BorgError) {
        let location = repository.settings.location
        guard let former = self.location, former != location, !confirmed.isEmpty else { return }
        if let found, found.id == self.repository?.id { return }
        throw BorgError(
            .repositoryUnconfirmed,
            "repository '\(repository.name)' has another location now, and \(confirmed.count) archives were confirmed at the former one",
            hint: "If that is intended: muster accept --location. The archives there stay, and are no longer pruned.",
            context: ["location": location, "former_location": former])
    }

    /// Whether a repository's key has yet to be exported to a file.
    public func needsKey(of known: KnownRepository?, in path: String) -> Bool {
        guard exportedKey == path else { return true }
        guard let exportedKeyOf else {
            // Muster 0.1.0 did not note of which repository it was. The file tells, unless it was moved away since.
            let holder = BorgRepository.repositoryID(ofKeyIn: FilePath(path))
            return holder.map { $0 != known?.id } ?? (location == nil)
        }
        return known != nil && exportedKeyOf != known?.id
    }

    /// What Borg may know about files: the cache that the last confirmed archive left. Nil if it is gone, or if the staging area has moved.
    /// Also nil if an inode of a set in it was free since, unless Borg reads a tree of `set` in place.
    public func believableCache(for set: SealedSet, in area: StagingArea) async -> FilesCache? {
        guard let filesCache, stagingPlace == area.place, filesCache.isThere else { return nil }
        // What Borg reads in place is also recognized by its time of change, which gives away an inode that was another file's.
        if set.manifest.dumps.contains(where: { $0.tree?.reference != nil }) { return filesCache }
        return mayKnowFiles(keeping: await area.keptRuns()) ? filesCache : nil
    }

    public mutating func keep(_ cache: FilesCache?, in area: StagingArea) {
        if let filesCache, filesCache.path != cache?.path { filesCache.remove() }
        (filesCache, stagingPlace) = (cache, area.place)
    }
}

extension StagingArea {
    /// The directory and its file system: another disk at the same path is another place. Nil if that cannot be found out.
    fileprivate var place: String? {
        guard let inode = try? FileSystem.status(of: root).inode, let system = try? FileSystem.identity(at: root) else {
            return nil
        }
        return "\(system)/\(inode)"
    }
}
