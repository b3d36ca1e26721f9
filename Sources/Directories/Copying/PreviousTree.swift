import DumpCore
import Linux
import Synchronization
import SystemPackage
import Trees

/// The tree of the last dump, entry by entry beside a pass over the source, for files that need not be copied again.
///
/// For one thread at a time.
final class PreviousTree {
    let tree: OpenDirectory
    private let inventory: InventoryFile
    private var next: TreeEntry?

    /// Nil if there is none that can be trusted: then everything is copied.
    ///
    /// - Parameters:
    ///   - previous: the last dump, of which only what was sealed counts.
    ///   - damage: gets the inventory, if it is not what was sealed.
    init?(_ previous: PreviousDump?, noting damage: TreeDamage) {
        guard let previous, let sealed = previous.record.tree else { return nil }
        let path = previous.directory.pushing(TreeLayout.inventory)
        // One that has rotted or was edited says nothing. A wrong digest in it would be sealed with the new set.
        guard let inventory = try? InventoryFile(at: path, sha256: sealed.inventorySHA256) else {
            damage.add(TreeLayout.inventory)
            return nil
        }
        // Borg read the last one in place.
        guard let tree = try? OpenDirectory(previous.directory.pushing(TreeLayout.tree)) else { return nil }
        self.tree = tree
        self.inventory = inventory
        // Its digest is that of an inventory: it can be read.
        next = try? inventory.next()
    }

    /// What the last dump has at a path. To be asked in the order of `TreeEntry.precedes`.
    func entry(at path: FilePath) -> TreeEntry? {
        while let entry = next {
            let order = TreeEntry.order(entry.path, path)
            guard order < 0 else { return order == 0 ? entry : nil }
            next = try? inventory.next()
        }
        return nil
    }
}

extension OpenDirectory {
    /// The status of the file of the last dump that an entry is about, or nil if it is not as the entry says.
    ///
    /// A link shares everything with it, so all must be right. Bytes alone are not looked at: no process changes them in a published set
    /// without changing its time of modification. Attributes may change, such as by relabelling the file system for SELinux.
    func intact(_ entry: TreeEntry) -> FileStatus? {
        guard let status = try? status(of: entry.path), status.kind == .file,
            TreeEntry(entry.path, status).differences(from: entry.withoutAttributes).isEmpty,
            (try? attributes(of: entry.path, kind: .file)) == entry.attributes
        else { return nil }
        return status
    }

    /// Whether what an entry of the last dump is about is no longer there, or has other bytes. Another mode, owner or attribute may be the
    /// operator's doing.
    func isDamaged(_ entry: TreeEntry) -> Bool {
        guard let status = try? status(of: entry.path) else { return true }
        return status.kind != .file || status.bytes != entry.bytes || status.modified != entry.modified
    }
}

/// What of the last dump is not what was sealed, found by several threads.
final class TreeDamage: Sendable {
    private let found = Mutex(DamagedFiles())
    private let directory: FilePath

    /// - Parameter previous: the dump.
    init(of previous: PreviousDump?) { directory = previous?.record.directory ?? FilePath() }

    /// - Parameter path: relative to the dump's directory.
    func add(_ path: FilePath) { found.withLock { $0.add(directory.pushing(path)) } }

    var files: DamagedFiles { found.withLock { $0 } }
}

extension TreeEntry {
    fileprivate var withoutAttributes: TreeEntry {
        var entry = self
        entry.attributes = []
        return entry
    }
}
