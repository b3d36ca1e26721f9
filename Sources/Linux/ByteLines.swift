import Glibc
import SystemPackage

/// The lines of a file, without their ends, in constant memory. One without its end was cut off, and is an error.
public struct ByteLines: ~Copyable {
    public struct CutOff: Error {}

    private let file: FileDescriptor
    private var buffer: [UInt8] = []
    private var start = 0
    private var isAtEnd = false

    /// - Parameter file: open for reading, at its start, and not closed here.
    public init(_ file: FileDescriptor) { self.file = file }

    /// The next line, or nil at the end.
    public mutating func next() throws -> ArraySlice<UInt8>? {
        var searched = start
        while true {
            if let end = newline(from: searched) {
                defer { start = end + 1 }
                return buffer[start..<end]
            }
            if isAtEnd {
                guard start == buffer.count else { throw CutOff() }
                return nil
            }
            searched = buffer.count - start
            try fill()
        }
    }

    private func newline(from place: Int) -> Int? {
        buffer.withUnsafeBytes { bytes in
            guard place < bytes.count, let base = bytes.baseAddress,
                let found = memchr(base + place, Int32(UInt8(ascii: "\n")), bytes.count - place)
            else { return nil }
            return UnsafeRawPointer(found) - base
        }
    }

    private mutating func fill() throws {
        var rest = Array(buffer[start...])
        let kept = rest.count
        let chunk = 256 * 1024
        rest.reserveCapacity(kept + chunk)
        rest.append(contentsOf: repeatElement(0, count: chunk))
        let count = try rest.withUnsafeMutableBytes {
            try file.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[kept...]))
        }
        rest.removeLast(chunk - count)
        isAtEnd = count == 0
        buffer = rest
        start = 0
    }
}
