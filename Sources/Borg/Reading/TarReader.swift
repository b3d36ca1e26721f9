import DumpCore
import SystemPackage

/// Reads a tar stream as Borg exports it: GNU's format, or that of POSIX with extended headers.
///
/// It understands what Python's tarfile writes for Borg, and no more. All else is an error: a sparse file, a global header, a key that is not
/// known, anything after the end. Whatever the stream holds, it takes no more memory than `longestHeader`, and every number is in range.
public struct TarReader: ~Copyable {
    private let file: FileDescriptor
    /// What is left of the entry at hand: bytes not read yet, and those that fill its last block.
    private var rest: Int64 = 0
    private var padding: Int64 = 0

    static let block = 512
    /// The limit for a long name or an extended header.
    static let longestHeader: Int64 = 1 << 20
    /// Before one entry: Borg writes two at most, for a long name and a long target.
    private static let mostHeaders = 4

    /// - Parameter file: open for reading, at the start of the stream, and not closed here.
    public init(_ file: FileDescriptor) { self.file = file }

    /// The next entry, or nil at the end of the stream. What was not read of the last one is passed over.
    public mutating func next() throws -> TarEntry? {
        var long = TarOverrides()
        for _ in 0...Self.mostHeaders {
            try skip()
            let header = try block()
            guard header.contains(where: { $0 != 0 }) else {
                guard long == TarOverrides() else { throw TarError("a header is followed by nothing") }
                try requireEnd()
                return nil
            }
            let found = try TarHeader(header)
            begin(found.size)
            switch found.type {
            case UInt8(ascii: "L"): long.path = try text()
            case UInt8(ascii: "K"): long.target = try text()
            case UInt8(ascii: "x"): try long.read(try whole())
            default:
                let entry = try found.entry(with: long)
                begin(entry.bytes)
                return entry
            }
        }
        throw TarError("an entry has too many headers")
    }

    private mutating func begin(_ size: Int64) {
        (rest, padding) = (size, (Int64(Self.block) - size % Int64(Self.block)) % Int64(Self.block))
    }

    /// Nothing but zeros may follow. They are read to the last one: Borg is still writing them.
    private func requireEnd() throws {
        var buffer = [UInt8](repeating: 0, count: Self.block)
        while true {
            let count = try buffer.withUnsafeMutableBytes { try file.read(into: $0) }
            guard count > 0 else { return }
            guard buffer[..<count].allSatisfy({ $0 == 0 }) else { throw TarError("something follows its end") }
        }
    }

    /// Reads from the file at hand until the buffer is full or the file ends, and returns how many bytes that were.
    public mutating func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
        let wanted = Int(min(Int64(buffer.count), rest))
        try fill(UnsafeMutableRawBufferPointer(rebasing: buffer[..<wanted]))
        rest -= Int64(wanted)
        return wanted
    }

    private mutating func skip() throws {
        guard rest > 0 || padding > 0 else { return }
        var buffer = [UInt8](repeating: 0, count: 64 * 1024)
        rest = rest.plus(padding)
        padding = 0
        while rest > 0 { _ = try buffer.withUnsafeMutableBytes { try read(into: $0) } }
    }

    private func block() throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: Self.block)
        try bytes.withUnsafeMutableBytes { try fill($0) }
        return bytes
    }

    /// What the entry at hand holds.
    private mutating func whole() throws -> [UInt8] {
        guard rest <= Self.longestHeader else { throw TarError("a header is too long") }
        var bytes = [UInt8](repeating: 0, count: Int(rest))
        _ = try bytes.withUnsafeMutableBytes { try read(into: $0) }
        return bytes
    }

    private mutating func text() throws -> [UInt8] { Array(try whole().prefix { $0 != 0 }) }

    private func fill(_ buffer: UnsafeMutableRawBufferPointer) throws {
        var count = 0
        while count < buffer.count {
            let read = try file.read(into: UnsafeMutableRawBufferPointer(rebasing: buffer[count...]))
            guard read > 0 else { throw TarError.cutOff }
            count += read
        }
    }
}
