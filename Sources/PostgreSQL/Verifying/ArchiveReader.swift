import SystemPackage

/// Reads numbers and texts from `toc.dat` in the form of `WriteInt` and `WriteStr`, in constant memory.
struct ArchiveReader {
    struct Malformed: Error { var reason: String }
    struct UnknownVersion: Error { var version: String }

    /// The minor version of the archive, and the bytes of an integer; known once the heading was read.
    var minor = 0
    var integerSize = 0

    private let file: FileDescriptor
    private var buffer: [UInt8] = []
    private var position = 0
    private var filled = 0

    /// The offset of the next byte in the file.
    var offset: Int { filled - (buffer.count - position) }

    /// Longer than any text that we keep: names have 63 bytes, kinds and file names are shorter.
    private static let longestText = 64 * 1024

    init(_ file: FileDescriptor) { self.file = file }

    mutating func byte() throws -> UInt8 {
        guard try fill() else { throw Malformed(reason: "cut off") }
        defer { position += 1 }
        return buffer[position]
    }

    mutating func bytes(_ count: Int) throws -> [UInt8] {
        var bytes: [UInt8] = []
        bytes.reserveCapacity(count)
        for _ in 0..<count { bytes.append(try byte()) }
        return bytes
    }

    /// A sign, then the absolute value, least significant byte first.
    mutating func integer() throws -> Int {
        let isNegative = try byte() != 0
        var value: UInt64 = 0
        for place in 0..<integerSize { value |= UInt64(try byte()) << (8 * UInt64(place)) }
        guard value <= UInt64(Int.max) else { throw Malformed(reason: "a number out of range") }
        return isNegative ? -Int(value) : Int(value)
    }

    /// Nil for a text that is absent, which is not the same as empty. Bytes that are not UTF-8 become `\xE9`.
    mutating func text() throws -> String? {
        let count = try integer()
        guard count >= 0 else { return nil }
        guard count <= Self.longestText else { throw Malformed(reason: "a name of \(count) bytes") }
        return try bytes(count).withUnsafeBytes { String(showing: $0) }
    }

    /// The bytes of a text, in the archive's own encoding. Nil for a text that is absent, or longer than `limit`.
    mutating func rawText(atMost limit: Int) throws -> [UInt8]? {
        let count = try integer()
        guard count >= 0 else { return nil }
        guard count <= limit else {
            try skip(count)
            return nil
        }
        return try bytes(count)
    }

    /// Passes over a text of any length. False if it is absent.
    @discardableResult
    mutating func skipText() throws -> Bool {
        let count = try integer()
        guard count >= 0 else { return false }
        try skip(count)
        return true
    }

    private mutating func skip(_ count: Int) throws {
        var rest = count
        while rest > 0 {
            guard try fill() else { throw Malformed(reason: "cut off") }
            let step = min(rest, buffer.count - position)
            position += step
            rest -= step
        }
    }

    mutating func isAtEnd() throws -> Bool { try !fill() }

    /// Makes sure that there is a byte to read. False at the end of the file.
    private mutating func fill() throws -> Bool {
        guard position == buffer.count else { return true }
        position = 0
        buffer = try [UInt8](unsafeUninitializedCapacity: 64 * 1024) { space, count in
            count = try file.read(into: UnsafeMutableRawBufferPointer(space))
        }
        filled += buffer.count
        return !buffer.isEmpty
    }
}
