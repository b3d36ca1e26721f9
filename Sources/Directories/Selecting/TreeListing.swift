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

    /// - Parameter spoolDirectory: for files without a name that hold what does not fit into memory.
    func perform(spoolingIn spoolDirectory: FilePath) async throws(DumpError) -> CopiedTree {
        try await onOwnThreadUntilCancelled { stop throws(DumpError) in try list(spoolDirectory, until: stop) }
    }

    private func list(_ spoolDirectory: FilePath, until stop: StopSign) throws(DumpError) -> CopiedTree {
        var listed = CopiedTree(spoolingIn: spoolDirectory)
        let names = NamesByFile(in: spoolDirectory)
        var walk = TreeWalk(source, selection, longestPath: longestPath, atHand: atHand, until: stop)
        try walk.visitAll { (path, status) throws(DumpError) in
            let entry = try attempting(to: "read", path, of: source) { try TreeEntry(path, status, reading: source) }
            guard status.kind == .file, status.links > 1 else {
                listed.diskBytes = listed.diskBytes.plus(status.diskBytes)
                try listed.entries.add(entry)
                return true
            }
            try names.add(.init(path: path, diskBytes: status.diskBytes, entry: entry), of: FileNumber(status))
            return true
        }
        while let names = try names.nextFile() { try listed.add(names) }
        listed.omissions = walk.omissions.findings(of: source.path.string)
        listed.vanished = walk.vanished
        return listed
    }
}

extension CopiedTree {
    /// The names of one file.
    fileprivate mutating func add(_ names: [NamesByFile.Name]) throws(DumpError) {
        diskBytes = diskBytes.plus(names[0].diskBytes)
        for (place, name) in names.enumerated() {
            guard var entry = name.entry else { continue }
            if place > 0 { entry.firstName = names[0].path }
            try entries.add(entry)
        }
    }
}

extension FileStatus {
    /// What a file takes on disk, without its holes.
    var diskBytes: Int64 { kind == .file ? min(bytes, allocatedBytes) : 0 }
}
