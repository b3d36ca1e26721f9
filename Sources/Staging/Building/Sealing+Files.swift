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
        try requireNothing(in: incoming.root, but: expected)
        // The lock is ours, and what others have left was removed before.
        try requireNothing(in: incoming.lock.area.incoming, but: Set([incoming.root.lastComponent].compactMap(\.self)))
    }

    /// A dump that writes beside its own directory may have written anywhere.
    private func requireNothing(
        in directory: FilePath, but expected: Set<FilePath.Component>
    ) throws(StagingError) {
        let names = try attempting(to: "list", directory) { try FileSystem.names(in: directory) }
        guard let foreign = names.first(where: { !expected.contains($0) }) else { return }
        throw StagingError(
            .unexpectedFile, "\(directory.appending(foreign)) belongs to no dump that was completed",
            hint: "Find out what wrote it: a plugin or a command of the job, or a program that is not Muster's.")
    }

    /// An archive has a tree that Borg read in place where it is, beside the dumps.
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

    private func walk(
        _ root: FilePath, _ visit: (FileTree.Entry) throws(StagingError) -> Void
    ) throws(StagingError) {
        // What `visit` throws ends the walk, which itself can throw something else only.
        var failure: StagingError?
        do {
            try FileTree(root).visitAll { entry throws(Errno) in
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

    /// Everything in the set. What a writer that should have ended changes after it was hashed, or adds, is found here.
    ///
    /// - Parameters:
    ///   - expected: each file outside of trees, by its path in the set.
    ///   - manifestSHA256: of the manifest as it was written.
    func listEntries(
        expecting expected: DigestReader, manifestSHA256: String
    ) throws(StagingError) -> ListedSet {
        var trees = SealedTrees(of: dumps, in: incoming.root)
        var expected = expected
        let directory = incoming.lock.area.incoming
        var listed = try attempting(to: "write in", directory) {
            ListedSet(notingIn: try FileSystem.unnamedFile(in: directory), manifestSHA256: manifestSHA256)
        }
        try walk(incoming.root) { entry throws(StagingError) in
            if let tree = try trees.tree(of: entry.path) {
                guard try tree.expects(entry) else { throw changedAfterwards(entry.path) }
            } else if entry.status.kind != .file {
                try Self.requireDirectory(entry, of: incoming.root)
            } else if !isOurs(entry.path) {
                try require(entry, toBeNextOf: &expected)
            }
            try attempting(to: "write in", directory, needed: Int64(FileState.size)) { try listed.add(entry) }
        }
        let missing = try attempting(to: "read digests in", incoming.root) { try expected.peek() }
        let missingOfTrees = try trees.firstMissing()
        if let path = missing ?? missingOfTrees { throw changedAfterwards(path) }
        return listed
    }

    private func require(_ entry: FileTree.Entry, toBeNextOf expected: inout DigestReader) throws(StagingError) {
        let next = try attempting(to: "read digests in", incoming.root) { try expected.next() }
        guard let next, !TreeEntry.precedes(entry.path, next.path) else { throw changedAfterwards(entry.path) }
        guard next.path == entry.path, next.digest.describes(entry.status) else { throw changedAfterwards(next.path) }
    }

    /// Everything in a set, as it is sealed.
    struct ListedSet {
        private(set) var files = 0
        private(set) var bytes: Int64 = 0
        /// See `SealedFiles`.
        var states: SealedFiles.Writer
        /// The last change of anything but the manifest.
        private(set) var newest: Int64 = 0

        init(notingIn file: FileDescriptor, manifestSHA256: String) {
            states = SealedFiles.Writer(to: file, manifestSHA256: manifestSHA256)
        }

        mutating func add(_ entry: FileTree.Entry) throws {
            files += entry.status.kind == .file ? 1 : 0
            bytes = bytes.plus(entry.status.bytes)
            if SealedFiles.cover(entry) { try states.add(FileState(entry.status)) }
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
            hint: "Something still writes to the dump. Find it and stop it.")
    }
}
