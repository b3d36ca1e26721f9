import Borg
import DumpCore
import Linux
import Staging
import SystemPackage

/// Makes what an archive holds below a directory that no other user can enter, and nothing anywhere else, whatever the archive holds.
///
/// Each path is looked at before anything is made of it: it is relative and leads down only. Nothing is written over. Links are made when all
/// else is there, symbolic ones last, so that no path ever leads through one. Files get their owner before their mode, so that a setuid
/// program never belongs to the wrong user; directories get theirs in the end.
struct Unpacking: ~Copyable {
    let root: OpenDirectory
    /// Where the archive has other paths than the set.
    let places: PlacesInSet
    let limits: Limits
    /// Told the digest of each file, by its path in the set.
    let digests: DigestSpool?
    /// What was not made, and why. Such an archive is not what was sealed.
    private(set) var refused = Refusals()
    var directories: [(path: FilePath, entry: TarEntry)] = []
    var hardLinks: [(path: FilePath, existing: FilePath)] = []
    var symbolicLinks: [(path: FilePath, entry: TarEntry)] = []
    private var known: Set<FilePath> = []
    private var entries = 0
    private var bytes: Int64 = 0
    private let buffer = UnpackingBuffer()

    /// How much an archive may hold: some more than its manifest says.
    struct Limits: Sendable {
        var entries: Int
        var bytes: Int64
    }

    init(into root: OpenDirectory, _ places: PlacesInSet, _ limits: Limits, noting digests: DigestSpool? = nil) {
        self.root = root
        self.places = places
        self.limits = limits
        self.digests = digests
    }

    /// Makes all of a stream. Throws what keeps the rest from being made: no space, an end too soon, more than the limits.
    mutating func unpack(_ reader: inout TarReader) throws {
        while let entry = try reader.next() {
            entries += 1
            guard entries <= limits.entries else { throw UnpackingError.tooMuch("\(limits.entries) entries") }
            guard let path = places.path(of: entry.path) else {
                refused.add(entry.path, "leads out of the set")
                continue
            }
            do {
                try make(path, entry, &reader)
            } catch let error as Errno where error != .noSpace && error != .diskQuotaExceeded && error != .ioError {
                refused.add(entry.path, error == .fileExists ? "is there twice" : "\(error)")
            }
        }
        try finish()
    }

    private mutating func make(_ path: FilePath, _ entry: TarEntry, _ reader: inout TarReader) throws {
        try makeParents(of: path)
        switch entry.kind {
        case .directory: try makeDirectory(path, entry)
        case .file: try makeFile(path, entry, &reader)
        case .symbolicLink: symbolicLinks.append((path, entry))
        case .hardLink:
            guard let existing = places.path(of: entry.target) else {
                return refused.add(entry.path, "is another name of something outside of the set")
            }
            hardLinks.append((path, existing))
        case .fifo, .characterDevice, .blockDevice:
            try root.createNode(path, entry.node)
            dress(path, entry)
        }
    }

    private func makeParents(of path: FilePath) throws(Errno) {
        let parent = path.removingLastComponent()
        guard !parent.isEmpty else { return }
        do throws(Errno) {
            guard try root.status(of: parent).kind == .directory else { throw Errno.notDirectory }
        } catch {
            guard error == .noSuchFileOrDirectory else { throw error }
            try makeParents(of: parent)
            try root.createDirectory(parent)
        }
    }

    private mutating func makeDirectory(_ path: FilePath, _ entry: TarEntry) throws(Errno) {
        do throws(Errno) {
            try root.createDirectory(path)
        } catch {
            // On the way to something that came before.
            guard error == .fileExists, try root.status(of: path).kind == .directory, !known.contains(path) else {
                throw error
            }
        }
        known.insert(path)
        directories.append((path, entry))
    }

    private mutating func makeFile(_ path: FilePath, _ entry: TarEntry, _ reader: inout TarReader) throws {
        bytes = bytes.plus(entry.bytes)
        guard bytes <= limits.bytes else { throw UnpackingError.tooMuch(formatBytes(limits.bytes)) }
        let file = try root.createFile(path)
        try file.closeAfter {
            let sha256 = try buffer.copy(&reader, entry.bytes, to: file)
            try? file.setOwner(entry.uid, entry.gid)
            try file.setMode(try mode(of: entry, FileSystem.status(of: file)))
            try file.setModified(entry.modified)
            note(path, sha256, try FileSystem.status(of: file))
        }
    }

    /// A digest that cannot be noted is found out a second time.
    private func note(_ path: FilePath, _ sha256: String, _ status: FileStatus) {
        let digest = FileDigest(
            sha256: sha256, bytes: status.bytes, inode: status.inode, modified: status.modified)
        try? digests?.add(path, digest)
    }

    private mutating func finish() throws {
        for (path, existing) in hardLinks {
            attempt(path) { root throws(Errno) in
                guard try root.status(of: existing).kind == .file else { throw Errno.invalidArgument }
                try root.link(existing, of: root, as: path)
            }
        }
        for (path, entry) in symbolicLinks {
            attempt(path) { root throws(Errno) in try root.createLink(path, to: entry.target) }
            dress(path, entry)
        }
        // What is in a directory comes before the directory itself.
        for (path, entry) in directories.reversed() { dress(path, entry) }
    }

    private mutating func attempt(_ path: FilePath, _ work: (OpenDirectory) throws(Errno) -> Void) {
        do throws(Errno) {
            try work(root)
        } catch {
            refused.add(path.bytes, error == .fileExists ? "is there twice" : "\(error)")
        }
    }

    /// As far as our user may: whether it is as it was sealed shows when it is verified.
    private func dress(_ path: FilePath, _ entry: TarEntry) {
        try? root.setOwner(of: path, to: entry.uid, entry.gid)
        guard let status = try? root.status(of: path) else { return }
        if status.kind != .symbolicLink { try? root.setMode(of: path, to: mode(of: entry, status)) }
        try? root.setModified(path, to: entry.modified)
    }

    /// A file that could not be given to its owner does not run as ours.
    private func mode(of entry: TarEntry, _ status: FileStatus) -> UInt32 {
        (status.uid, status.gid) == (entry.uid, entry.gid) ? entry.mode : entry.mode & 0o1777
    }
}
