import SystemPackage

/// The lines of a script of SQL with their offsets in it, read as they are asked for. Longer ones than any statement about a role are cut.
struct ScriptLines {
    struct Line {
        var offset: Int64
        var bytes: [UInt8]
        /// Whether it begins outside of quotation marks: names, comments and settings may hold lines that look like statements.
        var isOutsideQuotes: Bool
    }

    private let file: FileDescriptor
    private var chunk: ArraySlice<UInt8> = []
    /// The offset of the next byte of `chunk`.
    private var offset: Int64 = 0
    private var quotes = QuotesOfSQL()

    /// Names have 63 bytes at most, each of them doubled if it is a quote.
    private static let longestLine = 256

    init(of file: FileDescriptor) { self.file = file }

    mutating func next() throws(Errno) -> Line? {
        var line = Line(offset: offset, bytes: [], isOutsideQuotes: quotes.isOutside)
        while let piece = try nextPiece() {
            line.bytes.append(contentsOf: piece.prefix(Self.longestLine - line.bytes.count))
            quotes.take(piece)
            guard piece.last != UInt8(ascii: "\n") else {
                if line.bytes.last == UInt8(ascii: "\n") { line.bytes.removeLast() }
                return line
            }
        }
        return line.bytes.isEmpty ? nil : line
    }

    /// Up to and with the next line break, or all that was read before it.
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

/// Finds where a script of SQL is within quotation marks, byte by byte: `"name"`, `'text'`, `E'text with \\'`. A quotation mark in a
/// comment that ends its line does not count.
struct QuotesOfSQL {
    private enum Place { case outside, name, text, escapedText, escaped, endOfEscapedText, comment }

    private var place = Place.outside
    private var before: UInt8 = 0

    var isOutside: Bool { place == .outside || place == .endOfEscapedText }

    mutating func take(_ bytes: ArraySlice<UInt8>) {
        for byte in bytes {
            place = next(after: place, Unicode.Scalar(byte))
            before = byte
        }
    }

    private func next(after place: Place, _ byte: Unicode.Scalar) -> Place {
        switch (place, byte) {
        case (.outside, "\""): .name
        case (.outside, "'"): before == UInt8(ascii: "E") ? .escapedText : .text
        case (.outside, "-"): before == UInt8(ascii: "-") ? .comment : .outside
        // A doubled one, which stands for itself, is left and entered again.
        case (.name, "\""), (.text, "'"), (.comment, "\n"): .outside
        case (.escapedText, "'"): .endOfEscapedText
        case (.endOfEscapedText, "'"): .escapedText
        case (.endOfEscapedText, _): next(after: .outside, byte)
        case (.escapedText, "\\"): .escaped
        case (.escaped, _): .escapedText
        default: place
        }
    }
}
