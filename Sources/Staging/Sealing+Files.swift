import DumpCore
import Linux
import SystemPackage

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
            for entry in try walk(incoming.root.appending(directory), trees: [tree].compactMap(\.self)) {
                guard entry.status.kind == .file else { continue }
                let digest = dump.summary.digests[entry.path].flatMap { $0.describes(entry.status) ? $0 : nil }
                files.append(
                    File(
                        dump: index, path: FilePath(root: nil, [directory]).pushing(entry.path),
                        status: entry.status, digest: digest,
                        isInTree: tree.map(entry.path.starts(with:)) ?? false))
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
    private func walk(_ root: FilePath, trees: [FilePath]) throws(StagingError) -> [FileTree.Entry] {
        let entries = try attempting(to: "list", root) { try FileTree(root).entries() }
        for entry in entries where entry.status.kind != .file && entry.status.kind != .directory {
            guard !trees.contains(where: entry.path.starts(with:)) else { continue }
            let kind = entry.status.kind == .symbolicLink ? "a symbolic link" : "a special file"
            throw StagingError(
                .unexpectedFile, "\(root.pushing(entry.path)) is \(kind), and a set holds files and directories only")
        }
        return entries
    }

    /// Everything in the set. What a writer that should have ended changes after it was hashed, or adds, is found here.
    func listEntries(expecting files: [File], _ hashes: [Hash]) throws(StagingError) -> [FileTree.Entry] {
        let trees = dumps.compactMap { dump in
            dump.summary.tree.map {
                FilePath(root: nil, [SetLayout.directory(ofDump: dump.name)]).pushing(FilePath($0.path))
            }
        }
        let entries = try walk(incoming.root, trees: trees)
        var expected = Dictionary(uniqueKeysWithValues: zip(files.map(\.path), files.indices))
        for entry in entries where entry.status.kind == .file && !isOurs(entry.path) {
            guard let index = expected.removeValue(forKey: entry.path), hashes[index].digest.describes(entry.status)
            else { throw changedAfterwards(entry.path) }
        }
        guard let vanished = expected.keys.first else { return entries }
        throw changedAfterwards(vanished)
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
