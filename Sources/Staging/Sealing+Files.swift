import Checksums
import DumpCore
import Linux
import SystemPackage
import Trees

extension Sealing {
    func requireAllThere() throws(StagingError) {
        try incoming.lock.requireHeld()
        guard !dumps.isEmpty else { throw StagingError(.incompleteSet, "a set without dumps cannot be sealed") }
        var expected: Set<FilePath.Component> = []
        for dump in dumps {
            let directory = SetLayout.directory(ofDump: dump.name)
            guard expected.insert(directory).inserted else {
                throw StagingError(.incompleteSet, "two dumps are called '\(dump.name)'")
            }
            guard try isDirectory(directory) else {
                throw StagingError(
                    .incompleteSet, "dump '\(dump.name)' has no directory \(incoming.root.appending(directory))")
            }
        }
        let names = try attempting(to: "list", incoming.root) { try FileSystem.names(in: incoming.root) }
        guard let foreign = names.first(where: { !expected.contains($0) }) else { return }
        throw StagingError(.unexpectedFile, "\(incoming.root.appending(foreign)) belongs to no dump that was completed")
    }

    private func isDirectory(_ name: FilePath.Component) throws(StagingError) -> Bool {
        try incoming.lock.area.status(of: incoming.root.appending(name))?.kind == .directory
    }

    func listFiles() throws(StagingError) -> [File] {
        var files: [File] = []
        for (index, dump) in dumps.enumerated() {
            let directory = SetLayout.directory(ofDump: dump.name)
            let before = files.count
            let tree = dump.summary.tree.map { FilePath($0.path) }
            let inventory = try dump.summary.tree.map { contents throws(StagingError) in
                try TreeDigests(of: contents, in: incoming.root.appending(directory))
            }
            try walk(incoming.root.appending(directory), trees: [tree].compactMap(\.self)) { entry in
                guard entry.status.kind == .file else { return }
                let isInTree = tree.map(entry.path.starts(with:)) ?? false
                let digest = isInTree ? inventory?.digest(of: entry) : dump.summary.digests[entry.path]
                files.append(
                    File(
                        dump: index, path: FilePath(root: nil, [directory]).pushing(entry.path),
                        status: entry.status, digest: digest.flatMap { $0.describes(entry.status) ? $0 : nil },
                        isInTree: isInTree))
            }
            guard files.count > before else {
                throw StagingError(
                    .incompleteSet, "dump '\(dump.name)' holds no file",
                    hint: "An empty dump is no dump. Look at what its provider logged.")
            }
        }
        return files
    }

    /// Everything below `root`. Outside of trees, whose inventories say what is in them, all of it are files and directories.
    ///
    /// - Parameter trees: relative to `root`.
    private func walk(
        _ root: FilePath, trees: [FilePath], _ visit: (FileTree.Entry) -> Void
    ) throws(StagingError) {
        var foreign: FileTree.Entry?
        try attempting(to: "list", root) {
            try FileTree(root).visitAll { entry throws(Errno) in
                let kind = entry.status.kind
                if kind != .file && kind != .directory && !trees.contains(where: entry.path.starts(with:)) {
                    foreign = foreign ?? entry
                }
                visit(entry)
            }
        }
        guard let foreign else { return }
        let kind = foreign.status.kind == .symbolicLink ? "a symbolic link" : "a special file"
        throw StagingError(
            .unexpectedFile, "\(root.pushing(foreign.path)) is \(kind), and a set holds files and directories only")
    }

    /// Everything in the set. What a writer that should have ended changes after it was hashed, or adds, is found here.
    func listEntries(expecting files: [File], _ hashes: [Hash]) throws(StagingError) -> ListedSet {
        let trees = dumps.compactMap { dump in
            dump.summary.tree.map {
                FilePath(root: nil, [SetLayout.directory(ofDump: dump.name)]).pushing(FilePath($0.path))
            }
        }
        var expected = Dictionary(uniqueKeysWithValues: zip(files.map(\.path), files.indices))
        var listed = ListedSet()
        var changed: FilePath?
        try walk(incoming.root, trees: trees) { entry in
            var entry = entry
            if entry.status.kind == .file, !isOurs(entry.path) {
                if let index = expected.removeValue(forKey: entry.path), hashes[index].digest.describes(entry.status) {
                    // One path of the two is enough to keep.
                    entry.path = files[index].path
                } else {
                    changed = changed ?? entry.path
                }
            }
            listed.add(entry)
        }
        guard let path = changed ?? expected.keys.first else { return listed }
        throw changedAfterwards(path)
    }

    /// Everything in a set, as it is sealed.
    struct ListedSet {
        private(set) var entries: [SealedSet.Entry] = []
        private(set) var bytes: Int64 = 0
        /// The last change of anything but the manifest.
        private(set) var newest: Int64 = 0

        mutating func add(_ entry: FileTree.Entry) {
            entries.append(SealedSet.Entry(entry))
            bytes += entry.status.bytes
            if entry.path != FilePath(root: nil, [SetLayout.manifest]) { newest = max(newest, entry.status.modified) }
        }
    }

    private func isOurs(_ path: FilePath) -> Bool {
        path.components.first == SetLayout.manifest || path.components.first == SetLayout.checksums
    }

    private func changedAfterwards(_ path: FilePath) -> StagingError {
        StagingError(
            .changed, "\(incoming.root.pushing(path)) changed after its dump was complete",
            hint: "Something still writes to the dump. Find out what, and stop that.")
    }
}

/// The digests of a tree's files, read from its inventory beside a pass over the tree.
///
/// For one thread at a time.
private final class TreeDigests {
    private let tree: FilePath
    private let file: FileDescriptor
    private var reader: InventoryReader
    private var next: TreeEntry?

    init(of contents: TreeContents, in directory: FilePath) throws(StagingError) {
        tree = FilePath(contents.path)
        let path = directory.pushing(FilePath(contents.inventory))
        let found = try attempting(to: "read", path) { try FileScan(path).digest().sha256 }
        guard found == contents.inventorySHA256 else {
            throw StagingError(
                .changed, "\(path) changed after its dump was complete",
                hint: "Something still writes to the dump. Find out what, and stop that.")
        }
        file = try attempting(to: "open", path) {
            try FileDescriptor.open(path, .readOnly, options: [.noFollow, .closeOnExec])
        }
        reader = InventoryReader(file)
        next = try? reader.next()
    }

    // Nothing was written through it.
    deinit { try? file.close() }

    /// Nil if the inventory does not know it so: then it is hashed. To be asked in the order of a walk.
    func digest(of entry: FileTree.Entry) -> FileDigest? {
        while let known = next, TreeEntry.precedes(tree.pushing(known.path), entry.path) { next = try? reader.next() }
        guard let known = next, let sha256 = known.sha256, tree.pushing(known.path) == entry.path else { return nil }
        return FileDigest(sha256: sha256, bytes: known.bytes, inode: entry.status.inode, modified: known.modified)
    }
}
