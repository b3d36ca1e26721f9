import Borg
import Glibc
import Linux
import SystemPackage

/// Copies files out of a stream, piece by piece. What is zeros becomes a hole.
final class UnpackingBuffer {
    private let bytes = UnsafeMutableRawBufferPointer.allocate(byteCount: 256 * 1024, alignment: 64)
    private static let page = 4096

    deinit { bytes.deallocate() }

    /// - Parameter file: new and empty.
    func copy(_ reader: inout TarReader, _ count: Int64, to file: FileDescriptor) throws {
        var offset: Int64 = 0
        while offset < count {
            let read = try reader.read(into: bytes)
            guard read > 0 else { break }
            try write(UnsafeRawBufferPointer(rebasing: bytes[..<read]), at: offset, to: file)
            offset += Int64(read)
        }
        try file.setLength(offset)
    }

    private func write(_ piece: UnsafeRawBufferPointer, at offset: Int64, to file: FileDescriptor) throws {
        var start = 0
        while start < piece.count {
            var end = start
            while end < piece.count, !isZero(piece, end) { end += Self.page }
            let data = UnsafeRawBufferPointer(rebasing: piece[start..<min(end, piece.count)])
            _ = try file.writeAll(toAbsoluteOffset: offset + Int64(start), data)
            start = end
            while start < piece.count, isZero(piece, start) { start += Self.page }
        }
    }

    /// Whether the page at a place is zeros. Most are not from their first byte on.
    private func isZero(_ piece: UnsafeRawBufferPointer, _ start: Int) -> Bool {
        guard piece[start] == 0 else { return false }
        // Each byte equals the next.
        let page = UnsafeRawBufferPointer(rebasing: piece[start..<min(start + Self.page, piece.count)])
        return memcmp(page.baseAddress!, page.baseAddress! + 1, page.count - 1) == 0
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
