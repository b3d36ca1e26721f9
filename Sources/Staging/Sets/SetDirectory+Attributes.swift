import DumpCore
import Linux
import SystemPackage
import Trees

extension SetDirectory {
    /// Gives extracted trees what a tar stream does not hold, by the inventory that was sealed. That is attributes, access control lists,
    /// times to the nanosecond, and further names of what is not a file.
    ///
    /// To be called before the set is verified: what cannot be understood or changed here is found there.
    ///
    /// - Parameter parts: what was extracted, if not all.
    public func restoreAttributes(of manifest: Manifest, _ parts: [SetPart]? = nil) async {
        let root = root
        await onOwnThread {
            for dump in manifest.dumps where parts?.isAny(of: dump) ?? true {
                guard let place = dump.treePath, let inventory = dump.inventoryPath, let tree = dump.tree else {
                    continue
                }
                let path = root.pushing(inventory)
                // Directories come last: changing what is in one changes its time.
                for ofDirectories in [false, true] {
                    try? Self.restore(
                        ofDirectories, place, parts, InventoryFile(at: path, sha256: tree.inventorySHA256),
                        OpenDirectory(root))
                }
            }
        }
    }

    /// - Parameter inventory: nil if it is not the one that was sealed.
    private static func restore(
        _ ofDirectories: Bool, _ place: FilePath, _ parts: [SetPart]?, _ inventory: InventoryFile?,
        _ root: OpenDirectory
    ) throws {
        while let entry = try inventory?.next() {
            let path = place.pushing(entry.path)
            guard (entry.kind == .directory) == ofDirectories, parts?.cover(path) ?? true else { continue }
            // Not extracted, or not ours to change.
            try? restore(
                entry, at: path, entry.firstName.map(place.pushing).flatMap { parts?.cover($0) ?? true ? $0 : nil },
                root)
        }
    }

    private static func restore(
        _ entry: TreeEntry, at path: FilePath, _ firstName: FilePath?, _ root: OpenDirectory
    ) throws(Errno) {
        let status = try root.status(of: path)
        guard status.kind == entry.kind else { return }
        if let firstName, entry.kind != .file { return try root.makeAnotherName(path, status, of: firstName) }
        guard firstName == nil else { return }
        try root.setAttributes(entry.attributes, of: path, kind: entry.kind)
        try root.setModified(path, to: entry.modified)
    }
}

extension OpenDirectory {
    /// Replaces one of two equal things by a second name of the other.
    fileprivate func makeAnotherName(_ path: FilePath, _ status: FileStatus, of first: FilePath) throws(Errno) {
        let other = try self.status(of: first)
        guard other.kind == status.kind, other.inode != status.inode else { return }
        try remove(path)
        try link(first, of: self, as: path)
    }
}
