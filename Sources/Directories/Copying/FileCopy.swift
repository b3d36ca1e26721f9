import Checksums
import DumpCore
import Glibc
import Linux
import SystemPackage
import Trees

/// One file on its way into a dump, with its mode, owner, time and attributes, its holes, and the digest of what was written.
///
/// Read, hashed and written in one pass, as every byte has to come by for SHA-256 anyway. Where the file system can share blocks
/// (`FICLONE`: Btrfs, XFS), nothing is written.
///
/// That a file was changed shows in the times of its changes, which Linux counts in ticks of the clock: a second change in the same tick
/// leaves no trace. So a file is not trusted before its last change lies a tick back.
struct FileCopy {
    let source: OpenDirectory
    let target: OpenDirectory
    let path: FilePath
    let cloning: CloneSupport
    let buffer: CopyBuffer
    let stop: StopSign
    /// Of a source that does not change: since when, in nanoseconds since 1970. Nil while it may.
    let asOf: Int64?
    /// Told what has been copied, piece by piece.
    let progress: (Int64) -> Void

    /// How often a file is copied that changes meanwhile.
    static let attempts = 5
    /// In nanoseconds. No tick is longer than 10 ms.
    static let tick: Int64 = 20_000_000

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
        } catch let error as Errno where error.isOfSomethingGone {
            return nil
        }
    }

    private func copyUntilStill(_ from: FileDescriptor, _ to: FileDescriptor) throws -> Result {
        var attempt = 1
        while true {
            let (before, time) = try settledStatus(of: from)
            let sha256 = try copyBytes(from, to, before)
            let attributes = try ExtendedAttribute.all(of: from)
            let after = try FileSystem.status(of: from)
            let isStill = before.isSettled(at: time) && before.isSameState(as: after)
            guard isStill || attempt == Self.attempts else {
                attempt += 1
                try writing { try to.setLength(0) }
                continue
            }
            var entry = TreeEntry(path, after)
            entry.attributes = attributes
            if isStill {
                entry.sha256 = SHA256Digest(sha256)
                // What changed in the tick of the snapshot may have changed once more after it: it is read again the next time, as is a
                // torn copy.
                if (asOf ?? time) - after.changed >= Self.tick { entry.source = TreeEntry.Source(after) }
            } else {
                // What was read may be longer or shorter by now, or was cloned a moment before.
                entry.bytes = try FileSystem.status(of: to).bytes
                entry.sha256 = SHA256Digest(try digest(of: to, entry.bytes))
            }
            try finish(to, entry)
            return Result(entry: entry, isTorn: !isStill)
        }
    }

    /// With the time right after it. Waits for a change of just now to lie a tick back, once: a file may go on changing.
    private func settledStatus(of file: FileDescriptor) throws -> (FileStatus, time: Int64) {
        let (status, time) = (try FileSystem.status(of: file), Self.now)
        guard !status.isSettled(at: time) else { return (status, time) }
        usleep(UInt32((status.changed + Self.tick - time) / 1000 + 1))
        return (try FileSystem.status(of: file), Self.now)
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

    /// In nanoseconds since 1970.
    private static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
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

    private func digest(of copy: FileDescriptor, _ bytes: Int64) throws -> String {
        let hash = try SHA256()
        try forEachPiece(of: 0..<bytes) { offset, count in
            let bytes = try copy.read(at: offset, into: buffer, count)
            try hash.update(bytes)
            return bytes.count
        }
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
    /// Whether no change after `time` can leave the same time as the last one. A last one in the future was made by another clock.
    fileprivate func isSettled(at time: Int64) -> Bool { !(0..<FileCopy.tick).contains(time - changed) }

    /// Whether nothing at all was changed between the two.
    func isSameState(as other: FileStatus) -> Bool {
        inode == other.inode && changed == other.changed && modified == other.modified && bytes == other.bytes
    }
}
