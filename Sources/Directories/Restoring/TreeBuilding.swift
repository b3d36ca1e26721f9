import DumpCore
import Glibc
import Linux
import SystemPackage
import Trees

/// Puts a tree of a dump, or one thing of it, to a place, and compares it there with the inventory.
///
/// On the file system of the dump it is moved, else copied with all that a tree has.
struct TreeBuilding: Sendable {
    /// Relative to the tree; empty for all of it.
    let item: FilePath
    let tree: TreeContents
    /// The dump's, with the inventory in it.
    let directory: FilePath

    func perform(into room: FilePath, as name: FilePath, in run: RunContext) async throws(DumpError)
        -> RestoreComparison
    {
        let open = try restoring("open", room) { () throws(Errno) in try OpenDirectory(following: room) }
        return try await perform(into: open, as: name, in: run)
    }

    /// - Parameters:
    ///   - room: Muster's own directory; nothing has the name in it.
    ///   - name: what it gets.
    func perform(
        into room: OpenDirectory, as name: FilePath, in run: RunContext
    ) async throws(DumpError) -> RestoreComparison {
        let source = FilePath(tree.path).pushing(item)
        let dump = try restoring("open", directory) { () throws(Errno) in try OpenDirectory(following: directory) }
        let status = try restoring("restore", directory.pushing(source)) { () throws(Errno) in
            try dump.status(of: source)
        }
        let digests: TreeDigests?
        if try move(source, of: dump, status, into: room, as: name) {
            digests = nil
        } else {
            digests = try await copy(source, of: dump, status, into: room, as: name, in: run)
        }
        let comparison = TreeComparison(item: item, tree: tree, directory: directory)
        return try await onOwnThreadUntilCancelled { stop throws(DumpError) in
            try comparison.perform(of: name, in: room, copied: digests, until: stop)
        }
    }

    /// False on another file system.
    private func move(
        _ source: FilePath, of dump: OpenDirectory, _ status: FileStatus, into room: OpenDirectory, as name: FilePath
    ) throws(DumpError) -> Bool {
        let device = try restoring("look at", room.path) { () throws(Errno) in try room.status(of: FilePath()).device }
        guard device == status.device else { return false }
        do throws(Errno) {
            // Nothing has the name: the room is ours.
            try FileSystem.rename(dump.unmistakablePath.pushing(source), to: room.unmistakablePath.pushing(name))
            // Which some file systems change with the directory that it is in.
            try room.setModified(name, to: status.modified)
            return true
        } catch {
            // Two mounts of one file system, and subvolumes.
            guard error == .improperLink else {
                throw DumpError(
                    .system, "cannot move \(directory.pushing(source)) to \(room.path.pushing(name)): \(error)",
                    underlying: error)
            }
            return false
        }
    }

    private func copy(
        _ source: FilePath, of dump: OpenDirectory, _ status: FileStatus, into room: OpenDirectory, as name: FilePath,
        in run: RunContext
    ) async throws(DumpError) -> TreeDigests {
        let bytes = item.isEmpty ? tree.diskBytes ?? tree.bytes : status.kind == .file ? status.bytes : tree.bytes
        let unit = WorkUnit(
            name: item.isEmpty ? tree.path : item.string, path: FilePath(tree.path).pushing(item), estimatedBytes: bytes
        )
        return try await run.perform(unit) { () async throws(DumpError) in
            guard status.kind == .directory else {
                return try await onOwnThreadUntilCancelled { stop throws(DumpError) in
                    try copyOne(source, of: dump, status, into: room, as: name, until: stop)
                }
            }
            let count = ByteCounter()
            let copy = try treeCopy(source, of: dump, status, into: room, as: name, count)
            let copied = try await count.telling(unit, in: run) { () async throws(DumpError) in try await copy.perform()
            }
            return TreeDigests(entries: copied.entries)
        }
    }

    private func treeCopy(
        _ source: FilePath, of dump: OpenDirectory, _ status: FileStatus, into room: OpenDirectory, as name: FilePath,
        _ count: ByteCounter
    ) throws(DumpError) -> TreeCopy {
        let (from, to) = try restoring("copy", directory.pushing(source)) { () throws(Errno) in
            try room.createDirectory(name)
            return (
                try OpenDirectory(dump.unmistakablePath.pushing(source)),
                try OpenDirectory(room.unmistakablePath.pushing(name))
            )
        }
        var settings = DirectorySettings(path: directory.pushing(source))
        settings.sparseFiles = .read
        return TreeCopy(
            from: from, to: to, settings,
            selection: Selection(SelectionSettings(), device: status.device, ownPlaces: OwnPlaces()),
            longestPath: Int(PATH_MAX) - 1, spoolingIn: .temporaryFiles, previous: nil, asOf: FileCopy.now,
            atHand: FilesAtHand()
        ) { count.add($0) }
    }

    /// Anything but a directory.
    private func copyOne(
        _ source: FilePath, of dump: OpenDirectory, _ status: FileStatus, into room: OpenDirectory, as name: FilePath,
        until stop: StopSign
    ) throws(DumpError) -> TreeDigests {
        let above = source.removingLastComponent()
        let (from, place) = try restoring("copy", directory.pushing(source)) { () throws(Errno) in
            (
                try OpenDirectory(dump.unmistakablePath.pushing(above)),
                FilePath(root: nil, source.components.suffix(1))
            )
        }
        return try OneCopy(source: from, place: place, status: status, room: room, name: name).perform(until: stop)
    }
}

/// The digests of copied files, whose paths are relative to what was copied.
struct TreeDigests: Sendable {
    let entries: TreeEntries

    func sorted() -> Reader { Reader(entries: entries.sorted()) }

    /// Reads them beside a walk.
    struct Reader {
        fileprivate var entries: TreeEntries.Reader
        private var next: TreeEntry?

        fileprivate init(entries: TreeEntries.Reader) { self.entries = entries }

        /// To be asked in the order of a walk.
        mutating func digest(of path: FilePath) throws(Errno) -> SHA256Digest? {
            while next.map({ TreeEntry.precedes($0.path, path) }) ?? true {
                next = try entries.next()
                if next == nil { return nil }
            }
            return next?.path == path ? next?.sha256 : nil
        }
    }
}
