import Checksums
import DumpCore
import Linux
import SystemPackage
import Trees

extension SetInspection {
    /// Compares what is there of a tree with its inventory: kinds, modes, owners, times, attributes, links. Bytes of files are a matter of
    /// the dump's list.
    ///
    /// - Parameter unseen: what nobody has looked for yet.
    mutating func compare(
        _ tree: TreeContents, of dump: Manifest.DumpRecord, _ unseen: inout [FilePath: FileStatus]
    ) {
        guard let path = dump.inventoryPath, let place = dump.treePath else { return }
        // Only what this part of the tree needs was extracted with it.
        if part != nil { unseen[path] = nil }
        do {
            guard try FileSystem.status(of: root.pushing(path)).bytes <= longestInventory(of: tree),
                let inventory = try InventoryFile(at: root.pushing(path), sha256: tree.inventorySHA256)
            else {
                return add(.changed, path, "not the inventory that the manifest vouches for")
            }
            try compare(inventory, place, &unseen)
        } catch Errno.noSuchFileOrDirectory {
            add(.missing, path, "missing")
        } catch {
            add(.unreadable, path, "cannot be read: \(error)")
        }
    }

    /// To hash one of a terabyte that another user made would take hours. An entry has at most a path, a target, and attributes of 64 KiB.
    private func longestInventory(of tree: TreeContents) -> Int64 {
        min(Int64(tree.entries), 1 << 40) * (1 << 18) + (1 << 20)
    }

    /// - Parameter place: of the tree, relative to the set.
    private mutating func compare(
        _ inventory: InventoryFile, _ place: FilePath, _ unseen: inout [FilePath: FileStatus]
    ) throws {
        let directory = try OpenDirectory(root)
        // Nobody else may give files to other users.
        let withOwner = UserAccount.currentIsRoot
        // Of files with several names, the sets before and after included.
        var inodes: Set<UInt64> = []
        while let expected = try inventory.next() {
            let path = place.pushing(expected.path)
            guard part?.covers(path) ?? true else { continue }
            unseen[path] = nil
            do {
                let found = try TreeEntry(reading: path, of: directory)
                var differences = found.differences(from: expected, withOwner: withOwner)
                let status = try directory.status(of: path)
                if let first = expected.firstName.map(place.pushing) {
                    if part?.covers(first) ?? true, try status.inode != directory.status(of: first).inode {
                        differences.append("is not another name of \(first)")
                    }
                } else if status.kind == .file, status.links > 1, !inodes.insert(status.inode).inserted {
                    differences.append("is another name of a file that it should not be one of")
                }
                if !differences.isEmpty { add(.changed, path, differences.joined(separator: ", ")) }
            } catch Errno.noSuchFileOrDirectory {
                // A file that is missing was found to be so by the list, if it is in the list.
                if expected.sha256 == nil { add(.missing, path, "missing") }
            } catch {
                add(.unreadable, path, "cannot be read: \(error)")
            }
        }
    }
}
