import DumpCore
import Glibc
import SystemPackage

extension BootstrapRole {
    /// Turns the statements of a script that create or drop the role into comments, in place and without changing its length.
    ///
    /// - Returns: whether a statement that creates it was found.
    func commentOut(in script: FileDescriptor) throws(Errno) -> Bool {
        var lines = ScriptLines(of: script)
        var foundCreation = false
        while let line = try lines.next(), !line.bytes.starts(with: Self.endOfRoles) {
            guard isAboutIt(line.bytes) else { continue }
            try script.replace(with: "--", at: line.offset)
            foundCreation = foundCreation || line.bytes == creationLine
        }
        return foundCreation
    }

    /// pg_dumpall writes all roles before it connects to the first database.
    private static let endOfRoles = Array("\\connect ".utf8)

    private var creationLine: [UInt8] { Array("CREATE ROLE \(identifier);".utf8) }

    private func isAboutIt(_ line: [UInt8]) -> Bool {
        line == creationLine || line == Array("DROP ROLE IF EXISTS \(identifier);".utf8)
    }

    var findingOfCreation: Finding {
        Finding(
            .warning, "bootstrap_role_created", object: identifier,
            "the script still creates role \(identifier), which every server has",
            hint: "When you restore it with psql, ignore that one error and no other: leave ON_ERROR_STOP out.")
    }
}

extension FileDescriptor {
    fileprivate func replace(with text: String, at offset: Int64) throws(Errno) {
        do {
            _ = try writeAll(toAbsoluteOffset: offset, text.utf8)
        } catch {
            throw error as? Errno ?? .ioError
        }
    }
}

/// The lines of a file with their offsets in it, read as they are asked for. Longer ones than any statement about a role are cut.
private struct ScriptLines {
    private let file: FileDescriptor
    private var chunk: ArraySlice<UInt8> = []
    /// Of the next byte of `chunk`.
    private var offset: Int64 = 0

    /// Names have 63 bytes at most, each of them doubled if it is a quote.
    private static let longestLine = 256

    init(of file: FileDescriptor) { self.file = file }

    mutating func next() throws(Errno) -> (offset: Int64, bytes: [UInt8])? {
        let start = offset
        var line: [UInt8] = []
        while let piece = try nextPiece() {
            line.append(contentsOf: piece.prefix(Self.longestLine - line.count))
            guard piece.last != UInt8(ascii: "\n") else { return (start, line.dropLast(line.last == 10 ? 1 : 0)) }
        }
        return line.isEmpty ? nil : (start, line)
    }

    /// Up to and with the next line break, or what there is before it.
    private mutating func nextPiece() throws(Errno) -> ArraySlice<UInt8>? {
        if chunk.isEmpty { try refill() }
        guard !chunk.isEmpty else { return nil }
        let end = chunk.firstIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? chunk.endIndex
        let piece = chunk[..<end]
        chunk = chunk[end...]
        offset += Int64(piece.count)
        return piece
    }

    private mutating func refill() throws(Errno) {
        do {
            let bytes = try [UInt8](unsafeUninitializedCapacity: 1 << 16) { buffer, count in
                count = try file.read(fromAbsoluteOffset: offset, into: UnsafeMutableRawBufferPointer(buffer))
            }
            chunk = bytes[...]
        } catch {
            throw error as? Errno ?? .ioError
        }
    }
}
