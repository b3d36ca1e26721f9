import DumpCore
import Glibc
import Linux
import SystemPackage

/// Single rows of a file, by where they begin.
struct RowsAtOffsets: ~Copyable {
    private let path: FilePath
    private let file: FileDescriptor
    private let buffer: UnsafeMutableRawBufferPointer
    /// What of the file is in the buffer.
    private var start: Int64 = 0
    private var count = 0

    /// - Parameter window: bytes that are read at once.
    init(of path: FilePath, window: Int) throws(RowDeltaError) {
        self.path = path
        file = try attempting(.cannotRead, to: "read", path) {
            try FileSystem.openToRead(path)
        }
        buffer = .allocate(byteCount: window, alignment: 64)
    }

    deinit {
        buffer.deallocate()
        // It was only read.
        try? file.close()
    }

    /// Calls `body` with each piece of a row, its newline included.
    mutating func pass(
        _ offset: Int64, _ body: (UnsafeRawBufferPointer) throws(RowDeltaError) -> Void
    ) throws(RowDeltaError) {
        var place = offset
        while true {
            if place < start || place >= start + Int64(count) { try read(at: place) }
            guard count > 0, let base = buffer.baseAddress else { throw .malformed(path, "changed while it was read") }
            let (first, left) = (base + Int(place - start), count - Int(place - start))
            guard let found = memchr(first, Int32(UInt8(ascii: "\n")), left) else {
                try body(UnsafeRawBufferPointer(start: first, count: left))
                place += Int64(left)
                continue
            }
            return try body(UnsafeRawBufferPointer(start: first, count: UnsafeMutableRawPointer(found) - first + 1))
        }
    }

    private mutating func read(at offset: Int64) throws(RowDeltaError) {
        let (file, buffer) = (file, buffer)
        count = try attempting(.cannotRead, to: "read", path) { try file.readFully(into: buffer, at: offset) }
        start = offset
    }
}
