import DumpCore
import Linux
import SystemPackage
import Trees

/// Copies a tree into a dump.
///
///     walk → files → further names of files → directories, from the bottom up
///
/// The walk makes directories, links and special files, and takes from the last dump what the source has not changed since: a hard link,
/// as no set is ever changed. Files are copied side by side. Directories get their modes and times last, when they are complete.
struct TreeCopy: Sendable {
    let source: OpenDirectory
    let target: OpenDirectory
    let selection: Selection
    let longestPath: Int
    let previous: PreviousDump?
    /// As many as were found before, which may have become more or fewer.
    let expectedEntries: Int
    let settings: DirectorySettings
    /// See `FileCopy`.
    let asOf: Int64?
    /// Told what is being copied.
    let atHand: FilesAtHand
    /// Told what has been copied.
    let progress: @Sendable (Int64) -> Void

    private let cloning = CloneSupport()
    private let buffers = CopyBuffers()

    init(
        from source: OpenDirectory, to target: OpenDirectory, _ settings: DirectorySettings, selection: Selection,
        longestPath: Int, expectedEntries: Int, previous: PreviousDump?, asOf: Int64?, atHand: FilesAtHand,
        progress: @escaping @Sendable (Int64) -> Void
    ) {
        self.source = source
        self.target = target
        self.settings = settings
        self.selection = selection
        self.longestPath = longestPath
        self.expectedEntries = expectedEntries
        self.previous = previous
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
        _ = try await FileWorkers.forEach(plan.files) { (place, stop) throws(DumpError) in
            let path = plan.copied.path(at: place)
            atHand.begin(path)
            let result = try copy(path, after: plan.former[place], until: stop)
            atHand.end(path)
            plan.copied.take(result, of: place, at: path)
        }
        return try await onOwnThread { () throws(DumpError) in
            var copied = plan.copied.whole()
            try link(plan.furtherNames, in: &copied, until: stop)
            try finishDirectories(copied)
            copied.removeVanished()
            return copied
        }
    }

    // MARK: The walk

    /// What the walk leaves to be done.
    private struct Plan: Sendable {
        var copied: GrowingTree
        /// Files to copy, by their places in the list of entries.
        var files: [Int] = []
        var furtherNames: [FurtherName] = []
        /// What the last dump has at the place of a file, which may turn out to be the same.
        var former: [Int: TreeEntry] = [:]
    }

    private func walk(until stop: StopSign) throws(DumpError) -> Plan {
        var (copied, files, furtherNames) = (CopiedTree(), [Int](), [FurtherName]())
        var formerEntries: [Int: TreeEntry] = [:]
        copied.entries.reserveCapacity(expectedEntries)
        var firstNames: [FileNumber: Int] = [:]
        let former = PreviousTree(previous)
        var walk = TreeWalk(source, selection, longestPath: longestPath, atHand: atHand, until: stop)
        try walk.visitAll { (path, status) throws(DumpError) in
            guard status.kind == .file else { return try make(path, status, &copied) }
            try settings.requireReadable(path, status, in: source.path)
            let place = copied.entries.count
            copied.entries.append(TreeEntry(path, status))
            if status.links > 1 {
                let identity = FileNumber(status)
                if let first = firstNames[identity] {
                    furtherNames.append(FurtherName(path: path, place: place, first: first))
                    return true
                }
                firstNames[identity] = place
            }
            copied.diskBytes = copied.diskBytes.plus(status.diskBytes)
            // A file of the last dump is linked by the first of its names alone: its names may belong to different files by now.
            let old = former?.entry(at: path).flatMap { $0.firstName == nil ? $0 : nil }
            if let old, old.isUnchanged(status), reuse(old, in: former?.tree, place, &copied) { return true }
            files.append(place)
            if let old, old.kind == .file { formerEntries[place] = old }
            return true
        }
        copied.omissions = walk.omissions.findings(of: source.path.string)
        copied.vanished = walk.vanished
        return Plan(
            copied: GrowingTree(copied), files: files, furtherNames: furtherNames, former: formerEntries)
    }

    /// Anything but a file. False if it has vanished.
    private func make(
        _ path: FilePath, _ status: FileStatus, _ copied: inout CopiedTree
    ) throws(DumpError) -> Bool {
        let entry: TreeEntry
        do {
            entry = try attempting(to: "read", path, of: source) { try TreeEntry(path, status, reading: source) }
        } catch {
            guard error.isOfSomethingGone else { throw error }
            return false
        }
        copied.entries.append(entry)
        try attempting(to: "create", path, of: target) {
            switch entry.kind {
            case .directory: if !path.isEmpty { try target.createDirectory(path) }
            case .symbolicLink: try target.createLink(path, to: entry.target ?? [])
            default: try target.createNode(path, like: status)
            }
        }
        if entry.kind != .directory { try dress(entry) }
        return true
    }

    // MARK: Files

    /// Links the file of the last dump into this one. False if that cannot be: it is copied then.
    private func reuse(_ old: TreeEntry, in tree: OpenDirectory?, _ place: Int, _ copied: inout CopiedTree) -> Bool {
        guard let tree, tree.intact(old) != nil, (try? target.link(old.path, of: tree, as: old.path)) != nil
        else {
            return false
        }
        copied.entries[place] = old
        copied.linkedFiles += 1
        copied.linkedBytes = copied.linkedBytes.plus(old.bytes)
        return true
    }

    private func copy(
        _ path: FilePath, after former: TreeEntry?, until stop: StopSign
    ) throws(DumpError) -> FileCopy.Result? {
        guard let result = try copy(path, until: stop) else { return nil }
        // Another inode or a change that was taken back: as a link to the last copy it keeps its place in Borg's cache.
        guard let former, former.isEqual(to: result.entry), let tree = previousTree(), tree.intact(former) != nil
        else { return result }
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

    private func finishDirectories(_ copied: CopiedTree) throws(DumpError) {
        for entry in copied.entries.reversed() where entry.kind == .directory { try dress(entry) }
    }

    private func dress(_ entry: TreeEntry) throws(DumpError) {
        try preserving(entry, of: target) {
            try target.setOwner(of: entry.path, to: entry.uid, entry.gid)
            if entry.kind != .symbolicLink { try target.setMode(of: entry.path, to: entry.mode) }
            try target.setAttributes(entry.attributes, of: entry.path, kind: entry.kind)
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
