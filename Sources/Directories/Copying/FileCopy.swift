import Checksums
import DumpCore
import Linux
import SystemPackage
import Trees

/// One file on its way into a dump, with its mode, owner, time and attributes, its holes, and the digest of what was written.
///
/// Read, hashed and written in one pass, as every byte has to come by for SHA-256 anyway. Where the file system can share blocks
/// (`FICLONE`: Btrfs, XFS), nothing is written and the copy is read for its digest.
struct FileCopy {
    let source: OpenDirectory
    let target: OpenDirectory
    let path: FilePath
    let cloning: CloneSupport
    let buffer: CopyBuffer
    let stop: StopSign
    /// Told what has been copied, piece by piece.
    let progress: (Int64) -> Void

    /// How often a file is copied that changes meanwhile.
    static let attempts = 5

    struct Result {
        var entry: TreeEntry
        /// Whether the source changed during every attempt: the copy may be of no state that it ever had.
        var isTorn: Bool
        /// Whether it turned out to be the same as the last copy, and is a link to that one.
        var isLinked = false
    }

    /// Nil when the source is gone, or no file any more. Then there is nothing at the target.
    func perform() throws(DumpError) -> Result? {
        try attempting(to: "read", path, of: source) {
            guard let from = try openSource() else { return nil }
            return try from.closeAfter {
                let to = try attempting(to: "create", path, of: target) { try target.createFile(path) }
                // What closing could report of what was written, the flush of the whole set reports.
                return try to.closeAfter { try copyUntilStill(from, to) }
            }
        }
    }

    private func openSource() throws -> FileDescriptor? {
        do {
            let file = try source.openFile(path)
            if try FileSystem.status(of: file).kind == .file { return file }
            try file.close()
            return nil
        } catch Errno.noSuchFileOrDirectory, Errno.tooManySymbolicLinkLevels, Errno.noSuchAddressOrDevice {
            return nil
        }
    }

    private func copyUntilStill(_ from: FileDescriptor, _ to: FileDescriptor) throws -> Result {
        var attempt = 1
        while true {
            let before = try FileSystem.status(of: from)
            let sha256 = try copyBytes(from, to, before)
            let attributes = try ExtendedAttribute.all(of: from)
            let after = try FileSystem.status(of: from)
            let isStill = before.isSameState(as: after)
            guard isStill || attempt == Self.attempts else {
                attempt += 1
                try writing { try to.setLength(0) }
                continue
            }
            var entry = TreeEntry(path, after)
            entry.bytes = before.bytes
            entry.attributes = attributes
            entry.sha256 = SHA256Digest(sha256)
            // A torn copy is copied anew the next time.
            entry.source = isStill ? TreeEntry.Source(after) : nil
            try finish(to, entry)
            return Result(entry: entry, isTorn: !isStill)
        }
    }

    /// Owner before mode, which a change of owner would reduce, and both before attributes, which capabilities belong to; the time last.
    private func finish(_ to: FileDescriptor, _ entry: TreeEntry) throws(DumpError) {
        try preserving(entry, of: target) {
            try to.setOwner(entry.uid, entry.gid)
            try to.setMode(entry.mode)
            for attribute in entry.attributes { try attribute.set(on: to) }
            try to.setModified(entry.modified)
        }
    }

    // MARK: Bytes

    private func copyBytes(_ from: FileDescriptor, _ to: FileDescriptor, _ status: FileStatus) throws -> String {
        let hash = try SHA256()
        let isCloned = status.bytes > 0 && cloning.clone(from, to)
        for segment in try from.segments(of: status) {
            try forEachPiece(of: segment.range) { offset, count in
                guard !segment.isHole else {
                    try hash.update(CopyBuffer.zeros(count))
                    return count
                }
                let bytes = try from.read(at: offset, into: buffer, count)
                try hash.update(bytes)
                if !isCloned { try writing { try to.writeAll(toAbsoluteOffset: offset, bytes) } }
                return bytes.count
            }
        }
        // A hole at the end is not written.
        if status.hasHoles, !isCloned { try writing { try to.setLength(status.bytes) } }
        return try hash.finish()
    }

    /// - Parameter work: returns how far it came: 0 where the file was cut off meanwhile, which its status will show.
    private func forEachPiece(of range: Range<Int64>, _ work: (_ offset: Int64, _ count: Int) throws -> Int) throws {
        var offset = range.lowerBound
        while offset < range.upperBound {
            try stop.check(DumpError.self)
            let count = try work(offset, Int(min(range.upperBound - offset, Int64(CopyBuffer.size))))
            guard count > 0 else { return }
            progress(Int64(count))
            offset += Int64(count)
        }
    }

    private func writing(_ work: () throws -> Void) throws(DumpError) {
        try attempting(to: "write", path, of: target, work)
    }
}

extension FileStatus {
    /// Whether nothing at all was changed between the two.
    func isSameState(as other: FileStatus) -> Bool {
        inode == other.inode && changed == other.changed && modified == other.modified && bytes == other.bytes
    }
}
