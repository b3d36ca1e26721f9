import Checksums
import DumpCore
import Glibc
import Linux
import SystemPackage
import Trees

/// One file on its way into a dump, with its mode, owner, time and attributes, its holes, and the digest of what was written.
///
/// Read, hashed and written in one pass, because SHA-256 needs every byte anyway. Where the file system can share blocks (`FICLONE`: Btrfs,
/// XFS), nothing is written.
///
/// The times of a file show that it was changed. Linux counts them in ticks of the clock, and a second change in the same tick leaves no
/// trace. So a file is not trusted before its last change is a tick back.
///
/// A program may also write to a file through a mapping in memory, mmap(2). The times show such writes only once for each time that the
/// page is written out. So the file is written out before every look at the times. Files in memory (tmpfs) and files behind overlayfs are
/// never written out, and such a change goes unseen there.
struct FileCopy {
    let source: OpenDirectory
    let target: OpenDirectory
    let path: FilePath
    let cloning: CloneSupport
    let buffer: CopyBuffer
    let stop: StopSign
    /// For a source that does not change: since when, in nanoseconds since 1970. Nil while it may change.
    let asOf: Int64?
    /// Told what has been copied, piece by piece.
    let progress: (Int64) -> Void
    /// Throws for a file that must not be read.
    var vet: (FileStatus) throws(DumpError) -> Void = { _ in }

    /// How often a file is copied that changes meanwhile.
    static let attempts = 5
    /// In nanoseconds. No tick is longer than 10 ms.
    static let tick: Int64 = 20_000_000
    /// The tick of a file system that counts whole seconds, or every other one.
    static let coarseTick: Int64 = 2_020_000_000

    struct Result {
        var entry: TreeEntry
        /// What was wrong with every attempt: the copy may be of no state that the file ever had. Nil if it is good.
        var flaw: Flaw?
        /// Whether it turned out to be the same as the last copy, and is a link to that one.
        var isLinked = false
    }

    /// Why no attempt was good.
    enum Flaw: Sendable {
        /// The source changed meanwhile.
        case changed
        /// It did not change, and yet held more or fewer bytes than its status had announced. Files that are made up when they are read do
        /// that.
        case sizeUnknown

        var code: DumpError.Code { self == .changed ? .fileChanged : .fileSizeUnknown }
        var described: String {
            switch self {
            case .changed: "changed each of \(FileCopy.attempts) times that it was copied"
            case .sizeUnknown: "holds more bytes than its file system says, or fewer"
            }
        }
        var remedy: String {
            switch self {
            case .changed: "Dump a snapshot of the file system, or stop what writes to it."
            case .sizeUnknown:
                "Do not dump a file system that makes up its files when they are read, such as /proc or some FUSE mounts."
            }
        }
    }

    /// Nil when the source is gone, or is no longer a file. Then there is nothing at the target.
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
            do {
                if try FileSystem.status(of: file).kind == .file { return file }
            } catch {
                try? file.close()
                throw error
            }
            try file.close()
            return nil
        } catch let error as Errno where error.isOfSomethingGone {
            return nil
        }
    }

    private func copyUntilStill(_ from: FileDescriptor, _ to: FileDescriptor) throws -> Result {
        var attempt = 1
        while true {
            let before = try settledLook(at: from)
            try vet(before.status)
            let (sha256, isWhole) = try copyBytes(from, to, before.status)
            let attributes = try ExtendedAttribute.all(of: from)
            let after = try currentStatus(of: from)
            let isUnchanged = before.isSettled && before.status.isSameState(as: after)
            let isStill = isUnchanged && isWhole
            guard isStill || attempt == Self.attempts else {
                attempt += 1
                try writing { try to.setLength(0) }
                continue
            }
            var entry = TreeEntry(path, after)
            entry.attributes = attributes
            if isStill {
                entry.sha256 = SHA256Digest(sha256)
                // What changed in the tick of the snapshot may have changed once more after it. Such a file is read again the next time,
                // and so is a torn copy.
                if after.isSettled(by: asOf ?? before.time) { entry.source = TreeEntry.Source(after) }
            } else {
                // What was read may be longer or shorter by now, or was cloned a moment before.
                let copy = try FileScan(path, of: target).digest { _ in try stop.check(DumpError.self) }
                entry.bytes = copy.bytes
                entry.sha256 = SHA256Digest(copy.sha256)
            }
            try finish(to, entry)
            return Result(entry: entry, flaw: isStill ? nil : isUnchanged ? .sizeUnknown : .changed)
        }
    }

    /// What a file was at a time.
    private struct Look {
        var status: FileStatus
        /// When it was looked at: everything before this has left its trace in the status.
        var time: Int64
        /// Whether no change after this look can leave the same time as the last one.
        var isSettled: Bool
    }

    /// Waits for a change of just now to lie a tick back, once: a file may go on changing.
    private func settledLook(at file: FileDescriptor) throws -> Look {
        let first = try look(at: file)
        guard !first.isSettled else { return first }
        let tick = first.status.tick
        usleep(UInt32(min(max(first.status.changed + tick - Self.now, 0), tick) / 1000 + 1))
        return try look(at: file)
    }

    private func look(at file: FileDescriptor) throws -> Look {
        let time = Self.now
        // A snapshot does not change.
        if asOf == nil { try writeOut(file) }
        let status = try currentStatus(of: file)
        // A last change in the future was made by another clock.
        return Look(status: status, time: time, isSettled: status.isSettled(by: time) || status.changed > Self.now)
    }

    private func currentStatus(of file: FileDescriptor) throws(Errno) -> FileStatus {
        asOf == nil ? try file.freshStatus() : try FileSystem.status(of: file)
    }

    /// Owner before mode, which a change of owner would reduce, and both before attributes, which capabilities belong to; the time last.
    private func finish(_ to: FileDescriptor, _ entry: TreeEntry) throws(DumpError) {
        try preserving(entry, of: target) {
            try to.setOwner(entry.uid, entry.gid)
            // Before the mode, which may not let even the owner write: some attributes are as a part of the file.
            for attribute in entry.attributes { try attribute.set(on: to) }
            try to.setMode(entry.mode)
            try to.setModified(entry.modified)
            try requireTimeKept(entry, try FileSystem.status(of: to), in: target)
        }
    }

    /// In nanoseconds since 1970.
    static var now: Int64 {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec)
    }

    private func writeOut(_ file: FileDescriptor) throws(DumpError) {
        do {
            try file.writeOut()
        } catch {
            // Such as no space there: not to be taken for none in the staging area.
            throw DumpError(
                .system, "what others wrote to \(source.path.pushing(path)) cannot be written to its disk: \(error)",
                hint: "The disk may be full or failing: look at the kernel's log.", underlying: error)
        }
    }

    // MARK: Bytes

    /// - Returns: also whether all was there that the status had announced, and no more.
    private func copyBytes(
        _ from: FileDescriptor, _ to: FileDescriptor, _ status: FileStatus
    ) throws -> (sha256: String, isWhole: Bool) {
        let hash = try SHA256()
        let isCloned = status.bytes > 0 && cloning.clone(from, on: status.device, to)
        var isWhole = true
        for segment in try from.segments(of: status) where isWhole {
            isWhole = try forEachPiece(of: segment.range) { offset, count in
                guard !segment.isHole else {
                    let zeros = FileSegment.zeros(atMost: Int64(count))
                    try hash.update(zeros)
                    return zeros.count
                }
                let bytes = try from.read(at: offset, into: buffer, count)
                try hash.update(bytes)
                if !isCloned { try writing { try to.writeAll(toAbsoluteOffset: offset, bytes) } }
                return bytes.count
            }
        }
        if isWhole { isWhole = try from.read(at: status.bytes, into: buffer, 1).isEmpty }
        // A hole at the end is not written.
        if status.hasHoles, !isCloned { try writing { try to.setLength(status.bytes) } }
        return (try hash.finish(), isWhole)
    }

    /// - Parameter work: returns how far it came: 0 where the file ends too early. Then this is false.
    private func forEachPiece(
        of range: Range<Int64>, _ work: (_ offset: Int64, _ count: Int) throws -> Int
    ) throws -> Bool {
        var offset = range.lowerBound
        while offset < range.upperBound {
            try stop.check(DumpError.self)
            let count = try work(offset, Int(min(range.upperBound - offset, Int64(CopyBuffer.size))))
            guard count > 0 else { return false }
            progress(Int64(count))
            offset += Int64(count)
        }
        return true
    }

    private func writing(_ work: () throws -> Void) throws(DumpError) {
        try attempting(to: "write", path, of: target, work)
    }
}

extension FileStatus {
    /// Whether the last change is at least a tick before `time`.
    fileprivate func isSettled(by time: Int64) -> Bool { changed <= time - tick }

    /// How far two changes must be from each other to have different times.
    fileprivate var tick: Int64 { changed.isMultiple(of: 1_000_000_000) ? FileCopy.coarseTick : FileCopy.tick }

    /// Whether nothing at all was changed between the two.
    func isSameState(as other: FileStatus) -> Bool {
        inode == other.inode && changed == other.changed && modified == other.modified && bytes == other.bytes
    }
}
