import Checksums
import DumpCore
import Linux
import SystemPackage
import Trees

extension SealedSet {
    /// A tree that belongs to a set and was not copied into it: Borg reads it where it lies.
    public struct Reference: Sendable, Hashable {
        /// Where Borg finds it. Absolute.
        public var path: FilePath
        /// All that it holds, itself included, with the path that each has in an archive.
        public var entries: [Entry]
    }

    /// Every such tree, as its inventory has it.
    public func references() throws(StagingError) -> [Reference] {
        var references: [Reference] = []
        for dump in manifest.dumps {
            guard let tree = dump.tree, let path = tree.reference.map({ FilePath($0) }) else { continue }
            references.append(
                Reference(path: path, entries: try entries(of: tree, in: dump, at: path)))
        }
        return references
    }

    private func entries(
        of tree: TreeContents, in dump: Manifest.DumpRecord, at place: FilePath
    ) throws(StagingError) -> [Entry] {
        let path = root.pushing(FilePath(dump.path)).pushing(FilePath(tree.inventory))
        guard try attempting(to: "read", path, { try FileScan(path).digest().sha256 }) == tree.inventorySHA256 else {
            throw StagingError(
                .damagedSet, "\(path) is not the inventory that the manifest vouches for",
                hint: "muster verify lists all that is damaged. The next muster run replaces the set.")
        }
        return try attempting(to: "read", path) {
            let file = try FileDescriptor.open(path, .readOnly, options: [.noFollow, .closeOnExec])
            return try file.closeAfter {
                var reader = InventoryReader(file)
                var entries: [Entry] = []
                while let entry = try reader.next() {
                    entries.append(
                        Entry(
                            path: place.inArchive.pushing(entry.path), kind: entry.kind, bytes: entry.bytes))
                }
                return entries
            }
        }
    }
}

extension TreeContents {
    /// Where an archive has what lies at a path of the set, which a tree that Borg read in place is moved to when it is extracted.
    ///
    /// - Parameter dump: the tree's.
    public func pathInArchive(of path: FilePath, in dump: Manifest.DumpRecord) -> FilePath {
        let place = FilePath(dump.path).pushing(FilePath(self.path))
        var rest = path
        guard let reference, rest.removePrefix(place) else { return path }
        return FilePath(reference).inArchive.pushing(rest)
    }
}

extension FilePath {
    /// Archives have relative paths.
    fileprivate var inArchive: FilePath { FilePath(root: nil, components) }
}
