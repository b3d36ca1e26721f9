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
            guard let tree = dump.tree, let reference = tree.reference, let inventory = dump.inventoryPath else {
                continue
            }
            let (place, path) = (FilePath(reference), root.pushing(inventory))
            let entries = try attempting(to: "read", path) {
                try InventoryFile(at: path, sha256: tree.inventorySHA256).map { try Self.entries($0, at: place) }
            }
            guard let entries else {
                throw StagingError(
                    .damagedSet, "\(path) is not the inventory that the manifest vouches for",
                    hint: "muster verify lists all that is damaged. The next muster run replaces the set.")
            }
            references.append(Reference(path: place, entries: entries))
        }
        return references
    }

    private static func entries(_ inventory: InventoryFile, at place: FilePath) throws -> [Entry] {
        var entries: [Entry] = []
        while let entry = try inventory.next() {
            entries.append(
                Entry(path: place.inArchive.pushing(entry.path), kind: entry.kind, bytes: entry.bytes))
        }
        return entries
    }
}
