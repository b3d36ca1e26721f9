import Glibc
import SystemPackage

extension FileDescriptor {
    /// The bytes from where the file stands to its end, or the first of them.
    ///
    /// - Parameter limit: how many bytes at most. One more than a file may have tells one that is too long.
    public func readAll(atMost limit: Int = .max) throws(Errno) -> [UInt8] {
        var bytes: [UInt8] = []
        // A file of /proc has no size, and one with holes may have any.
        bytes.reserveCapacity(min(limit, Int(clamping: try FileSystem.status(of: self).bytes), 1 << 20))
        while bytes.count < limit {
            let piece = try readPiece(atMost: limit - bytes.count)
            guard !piece.isEmpty else { break }
            bytes += piece
        }
        return bytes
    }

    private func readPiece(atMost limit: Int) throws(Errno) -> [UInt8] {
        do {
            return try [UInt8](unsafeUninitializedCapacity: min(64 * 1024, limit)) { buffer, count in
                count = try read(into: UnsafeMutableRawBufferPointer(buffer))
            }
        } catch {
            throw error as? Errno ?? .ioError
        }
    }

    /// Reads until the buffer is full or the file ends, and returns the number of bytes read.
    public func readFully(into buffer: UnsafeMutableRawBufferPointer, at offset: Int64) throws -> Int {
        var count = 0
        while count < buffer.count {
            let rest = UnsafeMutableRawBufferPointer(rebasing: buffer[count...])
            let read = try self.read(fromAbsoluteOffset: offset + Int64(count), into: rest)
            guard read > 0 else { break }
            count += read
        }
        return count
    }
}

extension FileSystem {
    /// The bytes of a file, or the first of them. Symbolic links are followed, and a FIFO, which would be waited for, is not read.
    public static func bytes(of path: FilePath, atMost limit: Int = .max) throws(Errno) -> [UInt8] {
        var opened: Int32 = -1
        try call {
            opened = path.withPlatformString { Glibc.open($0, O_RDONLY | O_CLOEXEC | O_NONBLOCK) }
            return opened < 0 ? -1 : 0
        }
        let file = FileDescriptor(rawValue: opened)
        // Nothing depends on a close of a file that was only read.
        defer { try? file.close() }
        guard try status(of: file).kind != .fifo else { throw Errno.illegalSeek }
        return try file.readAll(atMost: limit)
    }
}
