import DumpCore
import Linux
import SystemPackage
import Trees

/// The tree of a dump that is being sealed, as its inventory has it, read beside a pass over what is there.
///
/// For one thread at a time.
final class SealedTree {
    /// Relative to the set.
    let place: FilePath
    private let inventory: InventoryFile
    private let path: FilePath
    private var next: TreeEntry?

    /// Nil for a dump without one, or whose tree was not copied.
    init?(of dump: FinishedDump, in root: FilePath) throws(StagingError) {
        guard let tree = dump.summary.tree, tree.reference == nil else { return nil }
        let directory = FilePath(root: nil, [SetLayout.directory(ofDump: dump.name)])
        let path = root.pushing(directory).pushing(FilePath(tree.inventory))
        let found = try attempting(to: "read", path) { try InventoryFile(at: path, sha256: tree.inventorySHA256) }
        guard let found else {
            throw StagingError(
                .changed, "\(path) changed after its dump was complete",
                hint: "Something still writes to the dump. Find it and stop it.")
        }
        place = directory.pushing(FilePath(tree.path))
        inventory = found
        self.path = path
        try advance()
    }

    /// By its digest it is what our own code has written, but it is read once more, and a disk may fail.
    private func advance() throws(StagingError) {
        next = try attempting(to: "read", path) { try inventory.next() }
    }

    /// Whether this is what comes next, in the state that the provider left it in. To be asked in the order of a walk of the set.
    func expects(_ entry: FileTree.Entry) throws(StagingError) -> Bool {
        guard let expected = next, place.pushing(expected.path) == entry.path else { return false }
        try advance()
        return TreeEntry(expected.path, entry.status).isSameAtAGlance(as: expected)
    }

    /// What has not come, once all of the set has, relative to the set.
    var missing: FilePath? { next.map { place.pushing($0.path) } }

    /// Calls `body` for each file that has not come yet.
    func forEachFile(
        _ body: (_ path: FilePath, _ sha256: SHA256Digest, _ bytes: Int64) throws(StagingError) -> Void
    ) throws(StagingError) {
        while let entry = next {
            if entry.kind == .file, let sha256 = entry.sha256 {
                try body(place.pushing(entry.path), sha256, entry.bytes)
            }
            try advance()
        }
    }
}

extension TreeEntry {
    /// Whether all that `lstat(2)` shows is the same. The mode of a symbolic link means nothing.
    fileprivate func isSameAtAGlance(as other: TreeEntry) -> Bool {
        kind == other.kind && bytes == other.bytes && modified == other.modified && uid == other.uid && gid == other.gid
            && node == other.node && (mode == other.mode || kind == .symbolicLink)
    }
}
