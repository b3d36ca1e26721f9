import CLinux
import Glibc
import SystemPackage

/// A part of a file: bytes, or a hole, which reads as zeros and takes no space.
public struct FileSegment: Sendable, Hashable {
    public var range: Range<Int64>
    public var isHole: Bool

    public init(_ range: Range<Int64>, isHole: Bool) {
        self.range = range
        self.isHole = isHole
    }

    /// What a hole reads as: some of its bytes, at least one of any.
    public static func zeros(atMost count: Int64) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: allZeros[..<Int(min(count, Int64(allZeros.count)))])
    }

    // It is read only.
    private nonisolated(unsafe) static let allZeros: UnsafeRawBufferPointer = {
        let count = 256 * 1024
        return UnsafeRawBufferPointer(start: calloc(count, 1), count: count)
    }()
}

extension FileDescriptor {
    /// Writes a file's bytes to disk, and returns once they are there; sync_file_range(2). Clean pages cost nothing.
    ///
    /// Afterwards a write through a mapping changes the file's times again.
    public func writeOut() throws(Errno) { try check(clinux_write_out(rawValue)) }

    /// The file's status by the server that it is on, if it does, and not by what this host remembers of it for some seconds.
    public func freshStatus() throws(Errno) -> FileStatus {
        // Linux before 4.11 has no such call.
        do throws(Errno) {
            try check(clinux_refresh_status(rawValue))
        } catch {
            guard error == .noFunction else { throw error }
        }
        return try FileSystem.status(of: self)
    }

    /// Makes an empty file share the bytes of this one until either is changed: `FICLONE`, see ioctl_ficlonerange(2).
    public func clone(to other: FileDescriptor) throws(Errno) { try check(clinux_clone_file(rawValue, other.rawValue)) }

    /// The parts of a file in order. A file system that knows no holes has one part.
    ///
    /// - Parameter status: the file's own; only one that takes less space than it has bytes is asked for holes.
    public func segments(of status: FileStatus) throws(Errno) -> [FileSegment] {
        guard status.hasHoles else {
            return status.bytes == 0 ? [] : [FileSegment(0..<status.bytes, isHole: false)]
        }
        var segments: [FileSegment] = []
        var offset: Int64 = 0
        while offset < status.bytes {
            let data = min(try seek(offset, toHole: false) ?? status.bytes, status.bytes)
            if data > offset { segments.append(FileSegment(offset..<data, isHole: true)) }
            guard data < status.bytes else { break }
            let hole = min(try seek(data, toHole: true) ?? status.bytes, status.bytes)
            segments.append(FileSegment(data..<hole, isHole: false))
            offset = hole
        }
        return segments
    }

    /// Nil where there is none up to the end of the file.
    private func seek(_ offset: Int64, toHole: Bool) throws(Errno) -> Int64? {
        let found = clinux_seek(rawValue, off_t(offset), toHole ? 1 : 0)
        if found == -Int(ENXIO) { return nil }
        guard found >= 0 else { throw Errno(rawValue: Int32(-found)) }
        return Int64(found)
    }

    public func setOwner(_ uid: UInt32, _ gid: UInt32) throws(Errno) {
        try FileSystem.call { fchown(rawValue, uid, gid) }
    }

    public func setMode(_ mode: UInt32) throws(Errno) { try FileSystem.call { fchmod(rawValue, mode) } }

    /// Sets the time of the last change of contents, in nanoseconds since 1970, and leaves the time of access.
    public func setModified(_ time: Int64) throws(Errno) {
        let times = FileSystem.times(modified: time)
        try FileSystem.call { futimens(rawValue, times) }
    }

    /// Makes a file longer, by a hole, or shorter.
    public func setLength(_ bytes: Int64) throws(Errno) { try FileSystem.call { ftruncate(rawValue, off_t(bytes)) } }
}

extension FileStatus {
    /// Whether it takes less space than it has bytes.
    public var hasHoles: Bool { allocatedBytes < bytes }
}
