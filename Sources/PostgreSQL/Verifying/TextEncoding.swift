/// What bytes of text may follow each other in an encoding of PostgreSQL's, as its servers check it when a dump is restored.
///
/// A server checks what comes in, and never again. Rows that an old release took go out as they are. So do rows from before a superuser
/// changed the encoding in `pg_database`.
struct TextEncoding: Sendable {
    /// What must come after a byte that begins a character.
    struct Rest: Sendable {
        var count: UInt8
        /// The bounds of the next byte, and of those after it.
        var next: ClosedRange<UInt8>
        var others: ClosedRange<UInt8>
    }

    let name: String
    /// By the first byte, from 0x80 on; nil for one that begins no character.
    let rests: [Rest?]

    /// Nil if any bytes are good, or if it is not known which are.
    init?(named name: String) {
        let rest: (UInt8) -> Rest?
        switch name {
        case "UTF8": rest = Self.ofUTF8
        case "EUC_JP", "EUC_JIS_2004": rest = Self.ofJapanese
        case "EUC_KR", "EUC_CN": rest = { Self.letters.contains($0) ? Rest(1, Self.letters) : nil }
        case "EUC_TW": rest = Self.ofTaiwanese
        default: return nil
        }
        self.name = name
        rests = (0x80...0xFF).map(rest)
    }

    private static let letters: ClosedRange<UInt8> = 0xA1...0xFE

    /// `pg_utf8_islegal` in `wchar.c`: neither surrogates nor longer than need be.
    private static func ofUTF8(_ first: UInt8) -> Rest? {
        switch first {
        case 0xC2...0xDF: Rest(1, 0x80...0xBF)
        case 0xE0: Rest(2, 0xA0...0xBF, 0x80...0xBF)
        case 0xED: Rest(2, 0x80...0x9F, 0x80...0xBF)
        case 0xE1...0xEF: Rest(2, 0x80...0xBF)
        case 0xF0: Rest(3, 0x90...0xBF, 0x80...0xBF)
        case 0xF1...0xF3: Rest(3, 0x80...0xBF)
        case 0xF4: Rest(3, 0x80...0x8F, 0x80...0xBF)
        default: nil
        }
    }

    private static func ofJapanese(_ first: UInt8) -> Rest? {
        switch first {
        case 0x8E: Rest(1, 0xA1...0xDF)
        case 0x8F: Rest(2, letters)
        case letters: Rest(1, letters)
        default: nil
        }
    }

    private static func ofTaiwanese(_ first: UInt8) -> Rest? {
        switch first {
        case 0x8E: Rest(3, 0xA1...0xA7, letters)
        case letters: Rest(1, letters)
        default: nil
        }
    }
}

extension TextEncoding.Rest {
    fileprivate init(_ count: UInt8, _ next: ClosedRange<UInt8>, _ others: ClosedRange<UInt8>? = nil) {
        self.init(count: count, next: next, others: others ?? next)
    }
}

/// Counts the lines of a text, given piece by piece, that are not valid in its encoding.
struct EncodingInspector {
    private let encoding: TextEncoding
    private(set) var badLines: Int64 = 0
    private var awaited: TextEncoding.Rest?
    private var isBadLine = false

    init(_ encoding: TextEncoding) { self.encoding = encoding }

    mutating func take(_ chunk: UnsafeRawBufferPointer) {
        var place = 0
        while place < chunk.count {
            if awaited == nil, !isBadLine { place = endOfASCII(in: chunk, from: place) }
            guard place < chunk.count else { return }
            take(chunk[place])
            place += 1
        }
    }

    /// Most of most texts, eight bytes at a time.
    private func endOfASCII(in chunk: UnsafeRawBufferPointer, from start: Int) -> Int {
        var place = start
        while place + 8 <= chunk.count,
            chunk.loadUnaligned(fromByteOffset: place, as: UInt64.self) & 0x8080_8080_8080_8080 == 0
        {
            place += 8
        }
        while place < chunk.count, chunk[place] < 0x80 { place += 1 }
        return place
    }

    private mutating func take(_ byte: UInt8) {
        if isBadLine {
            isBadLine = byte != UInt8(ascii: "\n")
        } else if let rest = awaited {
            guard rest.next.contains(byte) else { return refuse(byte) }
            awaited = rest.count > 1 ? .init(count: rest.count - 1, next: rest.others, others: rest.others) : nil
        } else if byte >= 0x80 {
            guard let rest = encoding.rests[Int(byte) - 0x80] else { return refuse(byte) }
            awaited = rest
        }
    }

    private mutating func refuse(_ byte: UInt8) {
        badLines += 1
        awaited = nil
        isBadLine = byte != UInt8(ascii: "\n")
    }
}
