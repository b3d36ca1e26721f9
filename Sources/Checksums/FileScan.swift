import DumpCore
import Glibc
import Linux
import SystemPackage

/// One pass over a regular file, from its first byte to its last. Memory does not grow with the file.
///
/// Blocking: call it through `onOwnThread`. To end it early, throw from the inspection.
public struct FileScan: Sendable {
    public let path: FilePath
    /// Where the file is below an open directory; nil to open it by its path.
    private let place: (directory: OpenDirectory, path: FilePath)?

    private static let chunk = 256 * 1024

    public init(_ path: FilePath) {
        self.path = path
        place = nil
    }

    /// Scans a file below an open directory, where the whole path may be too long.
    public init(_ path: FilePath, of directory: OpenDirectory) {
        self.path = directory.path.pushing(path)
        place = (directory, path)
    }

    /// The file's digest.
    ///
    /// - Parameter inspect: shown every chunk of the file in order, of any length above 0, valid during the call only. What
    ///   must be known of a file besides its digest is found here, so that it is read once.
    ///
    /// Throws `ChecksumError`, also when the file was changed meanwhile, or whatever `inspect` throws.
    public func digest(
        inspecting inspect: (UnsafeRawBufferPointer) throws -> Void = { _ in }
    ) throws -> FileDigest {
        let file = try open()
        return try file.closeAfter {
            let before = try status(of: file)
            guard before.kind == .file else { throw notAFile }
            // Advice: whether it is taken does not matter. What one call reads needs none.
            if before.bytes >= Self.chunk { _ = posix_fadvise(file.rawValue, 0, 0, POSIX_FADV_SEQUENTIAL) }
            let hash = try SHA256()
            var bytes: Int64 = 0
            try forEachChunk(of: file, before) { chunk in
                bytes += Int64(chunk.count)
                // Read to its end, a file that grows as fast as we read would never have one.
                guard bytes <= before.bytes else { throw changed }
                try hash.update(chunk)
                try inspect(chunk)
            }
            let after = try status(of: file)
            guard after.bytes == before.bytes, after.modified == before.modified, bytes == after.bytes else {
                throw changed
            }
            return FileDigest(
                sha256: try hash.finish(), bytes: bytes, inode: after.inode, modified: after.modified)
        }
    }

    private func open() throws(ChecksumError) -> FileDescriptor {
        do {
            guard let place else { return try FileSystem.openToRead(path) }
            return try place.directory.openFile(place.path)
        } catch Errno.tooManySymbolicLinkLevels {
            throw notAFile
        } catch {
            throw cannotRead(error)
        }
    }

    /// Holes are not read: the kernel would fill memory with their zeros, which takes it longer than to hash them.
    private func forEachChunk(
        of file: FileDescriptor, _ status: FileStatus, _ body: (UnsafeRawBufferPointer) throws -> Void
    ) throws {
        // No more than it takes: of files of a few bytes there may be hundreds of thousands.
        let size = Int(min(Int64(Self.chunk), max(status.bytes, 1)))
        let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 4096)
        defer { buffer.deallocate() }
        func read(at offset: Int64, atMost count: Int64) throws(ChecksumError) -> UnsafeRawBufferPointer {
            let part = UnsafeMutableRawBufferPointer(rebasing: buffer[..<Int(min(count, Int64(size)))])
            do {
                let filled = try file.read(fromAbsoluteOffset: offset, into: part)
                return UnsafeRawBufferPointer(rebasing: part[..<filled])
            } catch {
                throw cannotRead(error)
            }
        }

        var end: Int64 = 0
        for segment in try segments(of: file, status) {
            while end < segment.range.upperBound {
                let left = segment.range.upperBound - end
                let chunk = try segment.isHole ? FileSegment.zeros(atMost: left) : read(at: end, atMost: left)
                guard !chunk.isEmpty else { throw changed }
                try body(chunk)
                end += Int64(chunk.count)
            }
        }
        // What the status did not announce.
        while case let chunk = try read(at: end, atMost: .max), !chunk.isEmpty {
            try body(chunk)
            end += Int64(chunk.count)
        }
    }

    private func segments(of file: FileDescriptor, _ status: FileStatus) throws(ChecksumError) -> [FileSegment] {
        do { return try file.segments(of: status) } catch { throw cannotRead(error) }
    }

    private func status(of file: FileDescriptor) throws(ChecksumError) -> FileStatus {
        do { return try FileSystem.status(of: file) } catch { throw cannotRead(error) }
    }

    private func cannotRead(_ error: any Error) -> ChecksumError {
        ChecksumError(.cannotRead, "cannot read \(path): \(error)", underlying: error)
    }

    private var notAFile: ChecksumError { ChecksumError(.notAFile, "\(path) is not a regular file") }

    private var changed: ChecksumError {
        ChecksumError(
            .changed, "\(path) changed while it was read", hint: "Find out what writes to it, and stop it.")
    }
}
