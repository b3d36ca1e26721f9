import DumpCore

/// What is known of a manifest before it is parsed: its format version, and how much there is to parse. Takes no memory.
struct ManifestOutline {
    private(set) var formatVersion = 0
    /// Commas, colons and brackets: at least as many as there are values.
    private(set) var values = 0

    private var depth = 0
    private var isKeyNext = false
    private var rest: ArraySlice<UInt8>
    private let whole: [UInt8]

    /// Throws unless the bytes name a format version, in the outermost object and once. Whether they are JSON is for the parser.
    init(of bytes: [UInt8]) throws(ManifestFault) {
        whole = bytes
        rest = bytes[...]
        var found: Int?
        while let byte = rest.popFirst() {
            switch byte {
            case UInt8(ascii: "\""):
                let isKey = isKeyNext && depth == 1
                isKeyNext = false
                guard skipString().elementsEqual("format_version".utf8), isKey else { continue }
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

    private mutating func enter(_ bracket: UInt8) {
        depth += 1
        values += 1
        isKeyNext = bracket == UInt8(ascii: "{")
    }

    /// The bytes of the string that has begun, as they stand there.
    private mutating func skipString() -> ArraySlice<UInt8> {
        let start = rest.startIndex
        while let byte = rest.popFirst() {
            if byte == UInt8(ascii: "\"") { return whole[start..<(rest.startIndex - 1)] }
            if byte == UInt8(ascii: "\\") { _ = rest.popFirst() }
        }
        return []
    }

    /// The whole number that follows a colon.
    private mutating func number() -> Int? {
        func isSpace(_ byte: UInt8) -> Bool { " \t\r\n".utf8.contains(byte) }
        rest = rest.drop(while: isSpace)
        guard rest.popFirst() == UInt8(ascii: ":") else { return nil }
        values += 1
        rest = rest.drop(while: isSpace)
        let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
        rest = rest[digits.endIndex...]
        let end = rest.first { !isSpace($0) }
        guard end == UInt8(ascii: ",") || end == UInt8(ascii: "}") else { return nil }
        return Int(String(decoding: digits, as: UTF8.self))
    }

    private static let noVersion = "it names no format version"
}
