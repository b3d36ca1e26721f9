import Checksums
import DumpCore
import Linux
import SystemPackage
import Trees

/// Copies a set, or parts of one, and hashes each file on the way. The set itself is not changed: a link to one of its files would be.
///
/// The files share their blocks with those of the set where the file system can. What a tree needs besides is in its inventory, see
/// `SetDirectory.restoreAttributes`.
struct SetCopy {
    let source: OpenDirectory
    /// Empty, and closed to all other users.
    let target: OpenDirectory
    let manifest: Manifest
    /// Nil is all of the set.
    let parts: [SetPart]?
    /// Told the digest of each file.
    let digests: DigestSpool
    let stop: StopSign
    /// Told the bytes of each piece that was copied.
    let progress: (Int64) -> Void

    private var directories: [(path: FilePath, status: FileStatus)] = []
    private var furtherNames: [(path: FilePath, first: FilePath)] = []
    private var mayClone = true

    init(
        of source: OpenDirectory, into target: OpenDirectory, _ manifest: Manifest, _ parts: [SetPart]?,
        noting digests: DigestSpool, until stop: StopSign, progress: @escaping (Int64) -> Void
    ) {
        (self.source, self.target, self.manifest, self.parts) = (source, target, manifest, parts)
        (self.digests, self.stop, self.progress) = (digests, stop, progress)
    }

    mutating func perform() throws(StagingError) {
        for path in roots {
            let status = try attempting(to: "read", source.path.pushing(path)) { try source.status(of: path) }
            try makeParents(of: path)
            var names = firstNames(below: path)
            try copy(FileTree.Entry(path: path, status: status), &names)
            guard status.kind == .directory else { continue }
            try copyAll(below: path, &names)
        }
        for name in furtherNames {
            try attempting(to: "create", target.path.pushing(name.path)) {
                try target.link(name.first, of: target, as: name.path)
            }
        }
        // What is in a directory comes before the directory itself, whose time it changes.
        for (path, status) in directories.reversed() where !path.isEmpty { try dress(path, status) }
    }

    /// What is copied with all that is below it. None is in another.
    private var roots: [FilePath] {
        guard let parts else { return [FilePath()] }
        let wanted = parts.map(\.path) + parts.vouchers
        return wanted.indices.filter { place in
            !wanted.indices.contains { other in
                other != place && wanted[place].starts(with: wanted[other])
                    && (wanted[place] != wanted[other] || other < place)
            }
        }.map { wanted[$0] }
    }

    private func makeParents(of path: FilePath) throws(StagingError) {
        var parent = FilePath()
        for component in path.components.dropLast() {
            parent.append(component)
            guard (try? target.status(of: parent)) == nil else { continue }
            try attempting(to: "create", target.path.pushing(parent)) { try target.createDirectory(parent) }
        }
    }

    private mutating func copyAll(below root: FilePath, _ names: inout [FirstNames]) throws(StagingError) {
        let place = source.path.pushing(root)
        var walk = try attempting(to: "list", place) { try FileTreeWalk(source.unmistakablePath.pushing(root)) }
        while let found = try attempting(to: "list", place, { try walk.next() }) {
            try stop.check(StagingError.self)
            try copy(FileTree.Entry(path: root.pushing(found.path), status: found.status), &names)
        }
    }

    private mutating func copy(_ entry: FileTree.Entry, _ names: inout [FirstNames]) throws(StagingError) {
        let (path, status) = (entry.path, entry.status)
        switch status.kind {
        case .directory:
            directories.append((path, status))
            guard !path.isEmpty else { return }
            try attempting(to: "create", target.path.pushing(path)) { try target.createDirectory(path) }
        case .file:
            if let first = firstName(of: path, &names) { return furtherNames.append((path, first)) }
            try copyFile(path, status)
        case .symbolicLink:
            try attempting(to: "create", target.path.pushing(path)) {
                try target.createLink(path, to: source.target(ofLink: path))
            }
            try dress(path, status)
        default:
            // Nothing of a set, such as a socket, is found to be missing, or is not missed.
            guard (try? target.createNode(path, like: status)) != nil else { return }
            try dress(path, status)
        }
    }

    // MARK: Files

    private mutating func copyFile(_ path: FilePath, _ status: FileStatus) throws(StagingError) {
        try attempting(to: "copy", source.path.pushing(path), needed: status.bytes) {
            let file = try target.createFile(path)
            try file.closeAfter {
                let isCloned = try clone(path, to: file)
                var offset: Int64 = 0
                let digest = try FileScan(path, of: source).digest { piece in
                    try stop.check(StagingError.self)
                    if !isCloned { try file.writeSparsely(piece, at: offset) }
                    offset += Int64(piece.count)
                    progress(Int64(piece.count))
                }
                if !isCloned { try file.setLength(offset) }
                try? file.setOwner(status.uid, status.gid)
                let copy = try FileSystem.status(of: file)
                try file.setMode(mode(of: status, copy))
                try file.setModified(status.modified)
                // What cannot be noted is read again.
                try? digests.add(
                    path,
                    FileDigest(
                        sha256: digest.sha256, bytes: copy.bytes, inode: copy.inode, modified: status.modified))
            }
        }
    }

    /// Whether the file has all bytes now, shared with the set's. One refusal is enough: the next file is on the same file system.
    private mutating func clone(_ path: FilePath, to file: FileDescriptor) throws -> Bool {
        guard mayClone else { return false }
        let original = try source.openFile(path)
        mayClone = try original.closeAfter { (try? original.clone(to: file)) != nil }
        return mayClone
    }

    // MARK: Owners, modes, times

    /// As far as our user may: whether it is as it was sealed shows when it is verified.
    private func dress(_ path: FilePath, _ status: FileStatus) throws(StagingError) {
        try? target.setOwner(of: path, to: status.uid, status.gid)
        guard let copy = try? target.status(of: path) else { return }
        if copy.kind != .symbolicLink { try? target.setMode(of: path, to: mode(of: status, copy)) }
        try? target.setModified(path, to: status.modified)
    }

    /// A file that could not be given to its owner does not run as ours.
    private func mode(of status: FileStatus, _ copy: FileStatus) -> UInt32 {
        (status.uid, status.gid) == (copy.uid, copy.gid) ? status.mode : status.mode & 0o1777
    }

    // MARK: Files with several names

    /// An inventory, read beside a walk.
    private struct FirstNames {
        var place: FilePath
        var inventory: InventoryFile
        var next: TreeEntry?
    }

    /// The first names of the trees that are at or below a path, or that contain it.
    private func firstNames(below path: FilePath) -> [FirstNames] {
        manifest.dumps.compactMap { dump in
            guard let tree = dump.tree, let place = dump.treePath, let inventory = dump.inventoryPath,
                place.starts(with: path) || path.starts(with: place),
                let file = try? InventoryFile(
                    at: source.unmistakablePath.pushing(inventory), sha256: tree.inventorySHA256)
            else { return nil }
            // Its digest is that of an inventory: it can be read.
            return FirstNames(place: place, inventory: file, next: try? file.next())
        }
    }

    /// The name that comes first of a file that has several, if that one is copied too. To be asked in the order of a walk.
    private func firstName(of path: FilePath, _ names: inout [FirstNames]) -> FilePath? {
        for index in names.indices where path.starts(with: names[index].place) {
            let place = names[index].place
            while let entry = names[index].next, TreeEntry.precedes(place.pushing(entry.path), path) {
                names[index].next = try? names[index].inventory.next()
            }
            guard let entry = names[index].next, place.pushing(entry.path) == path, let first = entry.firstName else {
                continue
            }
            let original = place.pushing(first)
            return parts?.cover(original) ?? true ? original : nil
        }
        return nil
    }
}
