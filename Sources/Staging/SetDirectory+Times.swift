import DumpCore
import Linux
import SystemPackage
import Trees

extension SetDirectory {
    /// Gives what was changed before 1970 or after 2038 its time back, which Borg 1 moves to the nearest that it knows.
    ///
    /// To be called before the set is verified: what cannot be understood or changed here is found there.
    ///
    /// - Parameter part: what was extracted, if not all.
    public func restoreTimes(of manifest: Manifest, _ part: SetPart? = nil) async {
        let root = root
        await onOwnThread {
            for dump in manifest.dumps where part == nil || part?.dump == dump.name {
                guard let tree = dump.treePath, let inventory = dump.inventoryPath, let sealed = dump.tree else {
                    continue
                }
                try? Self.restoreTimes(
                    of: tree, from: InventoryFile(at: root.pushing(inventory), sha256: sealed.inventorySHA256), root)
            }
        }
    }

    /// - Parameter inventory: nil if it is not the one that was sealed.
    private static func restoreTimes(of tree: FilePath, from inventory: InventoryFile?, _ root: FilePath) throws {
        let directory = try OpenDirectory(root)
        while let entry = try inventory?.next() {
            guard !timesOfBorg.contains(entry.modified) else { continue }
            // Not extracted, or not ours to change.
            try? directory.setModified(tree.pushing(entry.path), to: entry.modified)
        }
    }

    /// In nanoseconds: up to two days before the end of what 32 bits hold (`MAX_S` in Borg's helpers/time.py).
    private static let timesOfBorg: Range<Int64> = 0..<((1 << 31) - 1 - 2 * 86400) * 1_000_000_000
}
