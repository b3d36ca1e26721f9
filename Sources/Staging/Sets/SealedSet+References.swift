import DumpCore
import Linux
import SystemPackage
import Trees

extension SealedSet {
    /// A tree that belongs to a set and was not copied into it: Borg reads it where it is.
    public struct Reference: Sendable, Hashable {
        /// Where Borg finds it. Absolute.
        public var path: FilePath
        /// The list of all that it holds, and the digest that the manifest has of it.
        var inventory: FilePath
        var inventorySHA256: String
    }

    /// Every such tree.
    public var references: [Reference] {
        manifest.dumps.compactMap { dump in
            guard let tree = dump.tree, let reference = tree.reference, let inventory = dump.inventoryPath else {
                return nil
            }
            return Reference(
                path: FilePath(reference), inventory: root.pushing(inventory), inventorySHA256: tree.inventorySHA256)
        }
    }
}

extension SealedSet.Reference {
    /// Calls `visit` for all that the tree holds, itself included, as its inventory has it, with the path that each has in an archive.
    public func visitAll(_ visit: (SealedSet.Entry) throws(Errno) -> Void) throws(StagingError) {
        let isFaithful = try attempting(to: "read", inventory) {
            guard let inventory = try InventoryFile(at: inventory, sha256: inventorySHA256) else { return false }
            while let entry = try inventory.next() {
                try visit(
                    SealedSet.Entry(
                        path: path.inArchive.pushing(entry.path), kind: entry.kind, bytes: entry.bytes))
            }
            return true
        }
        guard isFaithful else {
            throw StagingError(
                .damagedSet, "\(inventory) is not the inventory that the manifest vouches for",
                hint: "muster verify lists all that is damaged. The next muster run replaces the set.")
        }
    }
}
