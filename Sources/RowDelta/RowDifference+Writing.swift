import DumpCore
import Glibc
import Linux
import SystemPackage

extension RowDifference {
    /// Writes the numbers of the lines that are gone.
    func writeRemoved(to path: FilePath) throws(RowDeltaError) {
        let file = try BufferedFile(path)
        var ranges = RemovedRanges()
        var lines = try removed.sorted()
        while let line = try lines.next() {
            if let range = ranges.add(line) { try file.write(range) }
        }
        // The end moves to the end.
        for line in movesTail ? formerTail.lines : [] {
            if let range = ranges.add(line) { try file.write(range) }
        }
        if let range = ranges.finish() { try file.write(range) }
        try file.finish()
    }

    /// Whether rows have come behind the former end, or the end itself is another.
    private var movesTail: Bool { added.count > 0 || formerTail.bytes != tail.bytes }

    /// Writes the rows that have come, and the end behind them.
    ///
    /// - Parameters:
    ///   - source: the new file, in which they are.
    ///   - limit: how many bytes there may be.
    /// - Returns: false if there are more.
    func writeAdded(
        to path: FilePath, from source: FilePath, atMost limit: Int64, until stop: StopSign
    ) throws(RowDeltaError) -> Bool {
        let file = try BufferedFile(path)
        var rows = try RowsAtOffsets(of: source)
        var offsets = try added.sorted()
        while let offset = try offsets.next() {
            try rows.copy(at: offset, to: file)
            guard file.bytes <= limit else { return false }
            try stop.check(RowDeltaError.self)
        }
        if movesTail { try file.write(tail.bytes) }
        try file.finish()
        return true
    }
}

/// Single rows of a file, by where they begin, in their order.
private struct RowsAtOffsets: ~Copyable {
    private let path: FilePath
    private let file: FileDescriptor
    private let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: 64 * 1024, alignment: 64)
    /// What of the file is in the buffer.
    private var start: Int64 = 0
    private var count = 0

    init(of path: FilePath) throws(RowDeltaError) {
        self.path = path
        file = try attempting(.cannotRead, to: "read", path) {
            try FileDescriptor.open(path, .readOnly, options: [.noFollow, .closeOnExec, .nonBlocking])
        }
    }

    deinit {
        buffer.deallocate()
        // It was only read.
        try? file.close()
    }

    mutating func copy(at offset: Int64, to output: BufferedFile) throws(RowDeltaError) {
        var place = offset
        while true {
            if place < start || place >= start + Int64(count) { try read(at: place) }
            guard count > 0, let base = buffer.baseAddress else { throw .malformed(path, "changed while it was read") }
            let (first, left) = (base + Int(place - start), count - Int(place - start))
            guard let found = memchr(first, Int32(UInt8(ascii: "\n")), left) else {
                try output.write(UnsafeRawBufferPointer(start: first, count: left))
                place += Int64(left)
                continue
            }
            return try output.write(
                UnsafeRawBufferPointer(start: first, count: UnsafeMutableRawPointer(found) - first + 1))
        }
    }

    private mutating func read(at offset: Int64) throws(RowDeltaError) {
        let (file, buffer) = (file, buffer)
        count = try attempting(.cannotRead, to: "read", path) { try file.readFully(into: buffer, at: offset) }
        start = offset
    }
}
