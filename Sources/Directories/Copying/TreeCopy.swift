import DumpCore
import Linux
import SystemPackage
import Trees

/// Copies a tree into a dump.
///
///     walk → files → files with several names → directories, from the bottom up
///
/// The walk makes directories, links and special files. Files that have not changed since the last dump become hard links to it, because no
/// set is ever changed. The other files are copied side by side. Directories get their modes and times last, when they are complete.
///
/// What a step leaves to the next one is in spools: memory does not grow with the tree.
struct TreeCopy: Sendable {
    let source: OpenDirectory
    let target: OpenDirectory
    let selection: Selection
    let longestPath: Int
    let previous: PreviousDump?
    /// For files without a name that hold what does not fit into memory.
    let spoolDirectory: FilePath
    let settings: DirectorySettings
    /// See `FileCopy`.
    let asOf: Int64?
    /// Told what is being copied.
    let atHand: FilesAtHand
    /// Told what has been copied.
    let progress: @Sendable (Int64) -> Void

    private let cloning = CloneSupport()
    private let buffers = CopyBuffers()
    private let damage: TreeDamage

    init(
        from source: OpenDirectory, to target: OpenDirectory, _ settings: DirectorySettings, selection: Selection,
        longestPath: Int, spoolingIn spoolDirectory: FilePath, previous: PreviousDump?, asOf: Int64?,
        atHand: FilesAtHand,
        progress: @escaping @Sendable (Int64) -> Void
    ) {
        self.source = source
        self.target = target
        self.settings = settings
        self.selection = selection
        self.longestPath = longestPath
        self.spoolDirectory = spoolDirectory
        self.previous = previous
        damage = TreeDamage(of: previous)
        self.asOf = asOf
        self.atHand = atHand
        self.progress = progress
    }

    /// - Parameter target: an empty directory, which becomes the root of the copy.
    func perform() async throws(DumpError) -> CopiedTree {
        try await stoppable { stop async throws(DumpError) in try await perform(until: stop) }
    }

    private func perform(until stop: StopSign) async throws(DumpError) -> CopiedTree {
        let plan = try await onOwnThread { () throws(DumpError) in try walk(until: stop) }
        StopPoint.passing("directory.walked")
        let former = previousTree()
        try await FileWorkers.workOff(plan.files.next) { (file, stop) throws(DumpError) in
            atHand.begin(file.path)
            let result = try copy(file.path, after: file.former, in: former, until: stop)
            atHand.end(file.path)
            try plan.copied.take(result, at: file.path)
        }
        try await FileWorkers.workOff(plan.names.nextFile) { (names, stop) throws(DumpError) in
            var file = SeveralNames(self, in: plan.copied, former, until: stop)
            try file.take(names)
        }
        try await onOwnThread { () throws(DumpError) in try finishDirectories(plan.directories) }
        var copied = plan.copied.whole
        copied.damaged = damage.files
        return copied
    }

    // MARK: The walk

    /// What the walk leaves to be done.
    private struct Plan: Sendable {
        let copied: GrowingTree
        let files: FilesToCopy
        let names: NamesByFile
        let directories: TreeEntries
    }

    private func walk(until stop: StopSign) throws(DumpError) -> Plan {
        var copied = CopiedTree(spoolingIn: spoolDirectory)
        let (files, names) = (FilesToCopy(in: spoolDirectory), NamesByFile(in: spoolDirectory))
        let directories = TreeEntries(in: spoolDirectory)
        let former = PreviousTree(previous, noting: damage)
        var walk = TreeWalk(source, selection, longestPath: longestPath, atHand: atHand, until: stop)
        try walk.visitAll { (path, status) throws(DumpError) in
            guard status.kind == .file else { return try make(path, status, copied.entries, directories) }
            try settings.requireReadable(path, status, in: source.path)
            // A file of the last dump is linked by the first of its names alone: its names may belong to different files by now.
            let old = former?.entry(at: path).flatMap { $0.kind == .file && $0.firstName == nil ? $0 : nil }
            let name = NamesByFile.Name(
                path: path, diskBytes: status.diskBytes, entry: old, isUnchanged: old?.isUnchanged(status) ?? false)
            guard status.links <= 1 else {
                try names.add(name, of: FileNumber(status))
                return true
            }
            copied.diskBytes = copied.diskBytes.plus(status.diskBytes)
            if let reused = reused(name, from: former?.tree) {
                copied.addLinked(reused.entry)
                try copied.entries.add(reused.entry)
            } else {
                try files.add(FilesToCopy.File(path: path, former: old))
            }
            return true
        }
        copied.omissions = walk.omissions.findings(of: source.path.string)
        copied.vanished = walk.vanished
        return Plan(copied: GrowingTree(copied), files: files, names: names, directories: directories)
    }

    /// Anything but a file. False if it has vanished.
    private func make(
        _ path: FilePath, _ status: FileStatus, _ entries: TreeEntries, _ directories: TreeEntries
    ) throws(DumpError) -> Bool {
        let entry: TreeEntry
        do {
            entry = try attempting(to: "read", path, of: source) { try TreeEntry(path, status, reading: source) }
        } catch {
            guard error.isOfSomethingGone else { throw error }
            return false
        }
        try entries.add(entry)
        try attempting(to: "create", path, of: target) {
            switch entry.kind {
            case .directory: if !path.isEmpty { try target.createDirectory(path) }
            case .symbolicLink: try target.createLink(path, to: entry.target ?? [])
            default: try target.createNode(path, like: status)
            }
        }
        if entry.kind == .directory { try directories.add(entry) } else { try dress(entry) }
        return true
    }

    // MARK: Files

    /// Links the file of the last dump into this one, if the source has not changed since. Nil if that cannot be: it is copied then.
    func reused(_ name: NamesByFile.Name, from tree: OpenDirectory?) -> FileCopy.Result? {
        guard name.isUnchanged, let old = name.entry, let tree, tree.intact(old) != nil,
            (try? target.link(old.path, of: tree, as: old.path)) != nil
        else { return nil }
        return FileCopy.Result(entry: old, flaw: nil, isLinked: true)
    }

    /// - Parameters:
    ///   - former: what the last dump has at the path, which may turn out to be the same.
    ///   - tree: of the last dump.
    func copy(
        _ path: FilePath, after former: TreeEntry?, in tree: OpenDirectory?, until stop: StopSign
    ) throws(DumpError) -> FileCopy.Result? {
        guard let result = try copy(path, until: stop) else { return nil }
        // Another inode or a change that was taken back: as a link to the last copy it keeps its place in Borg's cache.
        guard let former, former.isEqual(to: result.entry), let tree else { return result }
        guard tree.intact(former) != nil else {
            if tree.isDamaged(former) { damage.add(TreeLayout.tree.pushing(path)) }
            return result
        }
        try attempting(to: "replace", path, of: target) { try target.remove(path) }
        // Too many names for one file, say.
        guard (try? target.link(former.path, of: tree, as: path)) != nil else { return try copy(path, until: stop) }
        var linked = result
        linked.isLinked = true
        return linked
    }

    /// Nil if it is gone.
    func copy(_ path: FilePath, until stop: StopSign) throws(DumpError) -> FileCopy.Result? {
        let outcome = buffers.with { buffer in
            Swift.Result { () throws(DumpError) in
                try FileCopy(
                    source: source, target: target, path: path, cloning: cloning, buffer: buffer, stop: stop,
                    asOf: asOf, progress: progress
                ) { status throws(DumpError) in try settings.requireReadable(path, status, in: source.path) }
                .perform()
            }
        }
        guard let result = try outcome.get() else { return nil }
        guard let flaw = result.flaw, settings.changedFiles == .fail else { return result }
        throw DumpError(
            flaw.code, "\(source.path.pushing(path)) \(flaw.described)",
            hint: flaw.remedy + " Or leave it out with exclude:, or set changed_files: warn.")
    }

    /// Nil without one.
    private func previousTree() -> OpenDirectory? {
        guard let previous else { return nil }
        return try? OpenDirectory(previous.directory.pushing(TreeLayout.tree))
    }

    // MARK: Owner, mode, attributes, time

    /// A directory is finished once all directories in it are: its mode may let not even its owner in.
    private func finishDirectories(_ directories: TreeEntries) throws(DumpError) {
        var (entries, open) = (directories.sorted(), [TreeEntry]())
        while let entry = try spooling(in: spoolDirectory, { () throws(Errno) in try entries.next() }) {
            while let last = open.last, !entry.path.starts(with: last.path) {
                try dress(last)
                open.removeLast()
            }
            open.append(entry)
        }
        for entry in open.reversed() { try dress(entry) }
    }

    private func dress(_ entry: TreeEntry) throws(DumpError) {
        try preserving(entry, of: target) {
            try target.setOwner(of: entry.path, to: entry.uid, entry.gid)
            // Before the mode, which may let not even the owner read or write.
            try target.setAttributes(entry.attributes, of: entry.path, kind: entry.kind)
            if entry.kind != .symbolicLink { try target.setMode(of: entry.path, to: entry.mode) }
            try target.setModified(entry.path, to: entry.modified)
            try requireTimeKept(entry, try target.status(of: entry.path), in: target)
        }
    }
}

extension TreeEntry {
    /// Whether the source of this entry is still in the state that it was copied in.
    func isUnchanged(_ status: FileStatus) -> Bool {
        kind == .file && source == Source(status) && bytes == status.bytes && modified == status.modified
            && sha256 != nil
    }

    /// Whether two files are the same in all that is kept of them.
    fileprivate func isEqual(to other: TreeEntry) -> Bool {
        sha256 == other.sha256 && differences(from: other).isEmpty
    }
}
