import DumpCore
import Linux
import SystemPackage
import Trees

/// What a tree holds that is not copied: everything but the bytes of its files, which Borg reads.
struct TreeListing: Sendable {
    let source: OpenDirectory
    let selection: Selection
    let longestPath: Int
    let atHand: FilesAtHand

    init(of source: OpenDirectory, _ selection: Selection, longestPath: Int, atHand: FilesAtHand) {
        self.source = source
        self.selection = selection
        self.longestPath = longestPath
        self.atHand = atHand
    }

    /// - Parameter expectedEntries: as many as were found before.
    func perform(expectedEntries: Int) async throws(DumpError) -> CopiedTree {
        try await onOwnThreadUntilCancelled { stop throws(DumpError) in try list(expectedEntries, until: stop) }
    }

    private func list(_ expectedEntries: Int, until stop: StopSign) throws(DumpError) -> CopiedTree {
        var listed = CopiedTree()
        listed.entries.reserveCapacity(expectedEntries)
        var firstNames: [FileNumber: FilePath] = [:]
        var walk = TreeWalk(source, selection, longestPath: longestPath, atHand: atHand, until: stop)
        try walk.visitAll { (path, status) throws(DumpError) in
            var entry = try attempting(to: "read", path, of: source) { try TreeEntry(path, status, reading: source) }
            if status.kind == .file, status.links > 1 {
                let identity = FileNumber(status)
                entry.firstName = firstNames[identity]
                if entry.firstName == nil { firstNames[identity] = path }
            }
            if entry.firstName == nil { listed.diskBytes = listed.diskBytes.plus(status.diskBytes) }
            listed.entries.append(entry)
            return true
        }
        listed.omissions = walk.omissions.findings(of: source.path.string)
        listed.vanished = walk.vanished
        return listed
    }
}

extension FileStatus {
    /// What a file takes on disk, without its holes.
    var diskBytes: Int64 { kind == .file ? min(bytes, allocatedBytes) : 0 }
}
