import DumpCore

/// What is known of a manifest before it is parsed: its format version, and how much there is to parse. Takes no memory.
struct ManifestOutline {
    private(set) var formatVersion = 0
    /// Commas, colons and brackets: at least as many as there are values.
    private(set) var values = 0

    private var depth = 0
    private var isKeyNext = false
    private let bytes: UnsafeBufferPointer<UInt8>
    private var place = 0

    /// Throws unless the bytes name a format version, in the outermost object and once. Whether they are JSON is for the parser.
    init(of bytes: [UInt8]) throws(ManifestFault) {
        let outline = bytes.withUnsafeBufferPointer { bytes in
            Result { () throws(ManifestFault) in
                var outline = ManifestOutline(bytes)
                try outline.read()
                return (outline.formatVersion, outline.values)
            }
        }
        self.init(UnsafeBufferPointer(start: nil, count: 0))
        (formatVersion, values) = try outline.get()
    }

    private init(_ bytes: UnsafeBufferPointer<UInt8>) { self.bytes = bytes }

    private mutating func read() throws(ManifestFault) {
        var found: Int?
        while let byte = next() {
            switch byte {
            case UInt8(ascii: "\""):
                let isKey = isKeyNext && depth == 1
                isKeyNext = false
                let name = skipString()
                guard isKey, name.elementsEqual("format_version".utf8) else { continue }
                guard found == nil, let version = number() else { throw .malformed(Self.noVersion) }
                found = version
            case UInt8(ascii: "{"), UInt8(ascii: "["): enter(byte)
            case UInt8(ascii: "}"), UInt8(ascii: "]"): depth -= 1
            case UInt8(ascii: ","): (values, isKeyNext) = (values + 1, true)
            case UInt8(ascii: ":"): values += 1
            default: break
            }
        }
        guard let found, found > 0 else { throw .malformed(Self.noVersion) }
        formatVersion = found
    }

    private mutating func next() -> UInt8? {
        guard place < bytes.count else { return nil }
        place += 1
        return bytes[place - 1]
    }

    private mutating func enter(_ bracket: UInt8) {
        depth += 1
        values += 1
        isKeyNext = bracket == UInt8(ascii: "{")
    }

    /// The bytes of the string that has begun, as they stand there.
    private mutating func skipString() -> Slice<UnsafeBufferPointer<UInt8>> {
        let start = place
        while let byte = next() {
            if byte == UInt8(ascii: "\"") { return bytes[start..<(place - 1)] }
            if byte == UInt8(ascii: "\\") { _ = next() }
        }
        return bytes[start..<start]
    }

    /// The whole number that follows a colon.
    private mutating func number() -> Int? {
        skipSpace()
        guard next() == UInt8(ascii: ":") else { return nil }
        values += 1
        skipSpace()
        let digits = bytes[place...].prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        place = digits.endIndex
        skipSpace()
        guard place < bytes.count, bytes[place] == UInt8(ascii: ",") || bytes[place] == UInt8(ascii: "}") else {
            return nil
        }
        return Int(String(decoding: digits, as: UTF8.self))
    }

    private mutating func skipSpace() {
        while place < bytes.count, " \t\r\n".utf8.contains(bytes[place]) { place += 1 }
    }

    private static let noVersion = "it names no format version"
}
