import Borg
import Checksums
import Linux
import SystemPackage

/// Copies files out of a stream, piece by piece, and hashes what comes by. What is zeros becomes a hole.
final class UnpackingBuffer {
    private let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 * 1024, alignment: 64)

    deinit { bytes.deallocate() }

    /// Returns the SHA-256 of what was written.
    ///
    /// - Parameter file: new and empty.
    func copy(_ reader: inout TarReader, _ count: Int64, to file: FileDescriptor) throws -> String {
        let hash = try SHA256()
        var offset: Int64 = 0
        while offset < count {
            let read = try reader.read(into: bytes)
            guard read > 0 else { break }
            let piece = UnsafeRawBufferPointer(rebasing: bytes[..<read])
            try hash.update(piece)
            try file.writeSparsely(piece, at: offset)
            offset += Int64(read)
        }
        try file.setLength(offset)
        return try hash.finish()
    }
}

extension TarEntry {
    /// What a FIFO or a device is made like.
    var node: OpenDirectory.Node {
        switch kind {
        case .characterDevice: .characterDevice(device.major, device.minor)
        case .blockDevice: .blockDevice(device.major, device.minor)
        default: .fifo
        }
    }
}
