import Checksums
import DumpCore
import Linux
import SystemPackage
import Trees

extension Sealing {
    func requireAllThere() throws(StagingError) {
        try incoming.lock.requireHeld()
        try requireRoomForReferences()
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

    /// An archive has a tree that Borg read in place where it lies, beside the dumps.
    private func requireRoomForReferences() throws(StagingError) {
        let taken = Set(dumps.map { SetLayout.directory(ofDump: $0.name) })
        for dump in dumps {
            guard let reference = dump.summary.tree?.reference, let first = FilePath(reference).components.first,
                taken.contains(first)
            else { continue }
            throw StagingError(
                .incompleteSet,
                "a dump cannot be called '\(first)' in an archive beside dump '\(dump.name)', which Borg reads at \(reference)",
                hint: "Give it another name, or have dump '\(dump.name)' copied: stage: copy.")
        }
    }

    private func isDirectory(_ name: FilePath.Component) throws(StagingError) -> Bool {
        try incoming.lock.area.status(of: incoming.root.appending(name))?.kind == .directory
    }

    /// The files of all dumps, outside of their trees.
    func listFiles() throws(StagingError) -> [File] {
        var files: [File] = []
        for (index, dump) in dumps.enumerated() {
            let directory = SetLayout.directory(ofDump: dump.name)
            let before = files.count
            let trees = Set([dump.summary.tree.map { FilePath($0.path) }].compactMap(\.self))
            try walk(incoming.root.appending(directory), notInto: trees) { entry throws(StagingError) in
                guard entry.status.kind == .file else {
                    try requireDirectory(entry, of: incoming.root.appending(directory))
                    return
                }
                let digest = dump.summary.digests[entry.path].flatMap { $0.describes(entry.status) ? $0 : nil }
                files.append(
                    File(
                        dump: index, path: FilePath(root: nil, [directory]).pushing(entry.path),
                        status: entry.status, digest: digest))
            }
            guard files.count > before else {
                throw StagingError(
                    .incompleteSet, "dump '\(dump.name)' holds no file",
                    hint: "An empty dump is no dump. Look at what its provider logged.")
            }
        }
        return files
    }

    private func walk(
        _ root: FilePath, notInto closed: Set<FilePath> = [], _ visit: (FileTree.Entry) throws(StagingError) -> Void
    ) throws(StagingError) {
        // What `visit` throws ends the walk, which itself can throw something else only.
        var failure: StagingError?
        do {
            try FileTree(root).visitAll(notInto: closed) { entry throws(Errno) in
                do throws(StagingError) {
                    try visit(entry)
                } catch {
                    failure = error
                    throw .canceled
                }
            }
        } catch {
            if let failure { throw failure }
            try attempting(to: "list", root) { throw error }
        }
    }

    /// Outside of trees, whose inventories say what is in them, all of a set are files and directories.
    private func requireDirectory(_ entry: FileTree.Entry, of root: FilePath) throws(StagingError) {
        let kind = entry.status.kind
        guard kind != .directory else { return }
        throw StagingError(
            .unexpectedFile,
            "\(root.pushing(entry.path)) is \(kind == .symbolicLink ? "a symbolic link" : "a special file"), and a set holds files and directories only"
        )
    }

    /// Everything in the set. What a writer that should have ended changes after it was hashed, or adds, is found here.
    func listEntries(expecting files: [File], _ hashes: [Hash]) throws(StagingError) -> ListedSet {
        var trees: [SealedTree] = []
        for dump in dumps {
            if let tree = try SealedTree(of: dump, in: incoming.root) { trees.append(tree) }
        }
        var expected = Dictionary(uniqueKeysWithValues: zip(files.map(\.path), files.indices))
        var listed = ListedSet()
        try walk(incoming.root) { entry throws(StagingError) in
            if let tree = trees.first(where: { entry.path.starts(with: $0.place) }) {
                guard try tree.expects(entry) else { throw changedAfterwards(entry.path) }
                return listed.add(entry)
            }
            var entry = entry
            if entry.status.kind != .file {
                try requireDirectory(entry, of: incoming.root)
            } else if !isOurs(entry.path) {
                guard let index = expected.removeValue(forKey: entry.path), hashes[index].digest.describes(entry.status)
                else { throw changedAfterwards(entry.path) }
                // One path of the two is enough to keep.
                entry.path = files[index].path
            }
            listed.add(entry)
        }
        if let path = expected.keys.first ?? trees.compactMap(\.missing).first { throw changedAfterwards(path) }
        return listed
    }

    /// Everything in a set, as it is sealed.
    struct ListedSet {
        private(set) var entries: [SealedSet.Entry] = []
        private(set) var bytes: Int64 = 0
        /// See `SealedFiles`.
        private(set) var states: [SealedFiles.State] = []
        /// The last change of anything but the manifest.
        private(set) var newest: Int64 = 0

        mutating func add(_ entry: FileTree.Entry) {
            entries.append(SealedSet.Entry(entry))
            bytes += entry.status.bytes
            if SealedFiles.cover(entry) { states.append(SealedFiles.State(entry.status)) }
            if entry.path != manifest { newest = max(newest, entry.status.modified) }
        }

        private let manifest = FilePath(root: nil, [SetLayout.manifest])
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
