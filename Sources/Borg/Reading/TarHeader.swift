/// The block before each entry of a tar stream.
struct TarHeader {
    private let bytes: [UInt8]
    let type: UInt8
    /// The size of what follows.
    let size: Int64

    init(_ bytes: [UInt8]) throws(TarError) {
        self.bytes = bytes
        type = bytes[156]
        size = try Self.number(bytes[124..<136])
        guard size >= 0 else { throw TarError("an entry has a negative size") }
        // The sum of all bytes, its own counted as spaces.
        let sum = bytes.indices.reduce(Int64(0)) { $0 + ((148..<156).contains($1) ? 32 : Int64(bytes[$1])) }
        guard try Self.number(bytes[148..<156]) == sum else { throw TarError("a header is damaged") }
    }

    func entry(with long: TarOverrides) throws(TarError) -> TarEntry {
        var entry = TarEntry()
        entry.kind = try kind
        entry.path = long.path ?? path
        entry.target = long.target ?? Self.text(bytes[157..<257])
        entry.mode = UInt32(truncatingIfNeeded: try Self.number(bytes[100..<108])) & 0o7777
        entry.uid = try owner(long.uid, bytes[108..<116])
        entry.gid = try owner(long.gid, bytes[116..<124])
        entry.bytes = try contents(entry.kind, long.bytes)
        let (time, isBeyond) = try Self.number(bytes[136..<148]).multipliedReportingOverflow(by: 1_000_000_000)
        entry.modified = long.modified ?? (isBeyond ? .max : time)
        if entry.kind == .characterDevice || entry.kind == .blockDevice {
            entry.device = (try Self.id(Self.number(bytes[329..<337])), try Self.id(Self.number(bytes[337..<345])))
        }
        return entry
    }

    /// A size that twelve digits cannot hold stands in an extended header, and 0 in its place.
    private func contents(_ kind: TarEntry.Kind, _ long: Int64?) throws(TarError) -> Int64 {
        if let long, long < 0 || (size != 0 && size != long) { throw TarError("an entry has two sizes") }
        let bytes = long ?? size
        guard kind == .file || bytes == 0 else { throw TarError("an entry that is not a file has contents") }
        return bytes
    }

    private var kind: TarEntry.Kind {
        get throws(TarError) {
            switch type {
            case 0, UInt8(ascii: "0"): .file
            case UInt8(ascii: "1"): .hardLink
            case UInt8(ascii: "2"): .symbolicLink
            case UInt8(ascii: "3"): .characterDevice
            case UInt8(ascii: "4"): .blockDevice
            case UInt8(ascii: "5"): .directory
            case UInt8(ascii: "6"): .fifo
            default: throw TarError("an entry is of an unknown kind")
            }
        }
    }

    /// In the format of POSIX, the start of a long path has a field of its own.
    private var path: [UInt8] {
        let name = Self.text(bytes[0..<100])
        let prefix = bytes[257..<265].elementsEqual("ustar\u{0}00".utf8) ? Self.text(bytes[345..<500]) : []
        return prefix.isEmpty ? name : prefix + [UInt8(ascii: "/")] + name
    }

    private func owner(_ long: Int64?, _ field: ArraySlice<UInt8>) throws(TarError) -> UInt32 {
        if let long { return try Self.id(long) }
        return try Self.id(try Self.number(field))
    }

    private static func text(_ field: ArraySlice<UInt8>) -> [UInt8] { Array(field.prefix { $0 != 0 }) }

    private static func id(_ number: Int64) throws(TarError) -> UInt32 {
        guard let id = UInt32(exactly: number) else { throw TarError("a number is out of range") }
        return id
    }

    /// Octal digits; or, where they do not suffice, the number itself behind a first byte with its highest bit set.
    private static func number(_ field: ArraySlice<UInt8>) throws(TarError) -> Int64 {
        guard let first = field.first, first & 0x80 != 0 else { return try octal(field) }
        var number: Int64 = first == 0xFF ? -1 : Int64(first & 0x7F)
        for byte in field.dropFirst() {
            let (shifted, isBeyond) = number.multipliedReportingOverflow(by: 256)
            guard !isBeyond else { throw TarError("a number is out of range") }
            number = shifted | Int64(byte)
        }
        return number
    }

    private static func octal(_ field: ArraySlice<UInt8>) throws(TarError) -> Int64 {
        var number: Int64 = 0
        for byte in field.drop(while: { $0 == UInt8(ascii: " ") }).prefix(while: { $0 != 0 && $0 != UInt8(ascii: " ") })
        {
            guard (UInt8(ascii: "0")...UInt8(ascii: "7")).contains(byte) else { throw TarError("a number is not one") }
            // Twelve digits have room to spare.
            number = number << 3 | Int64(byte - UInt8(ascii: "0"))
        }
        return number
    }
}

/// What headers before an entry say in its own header's place.
struct TarOverrides: Equatable {
    var path: [UInt8]?
    var target: [UInt8]?
    var bytes: Int64?
    var uid: Int64?
    var gid: Int64?
    var modified: Int64?

    /// Reads an extended header of POSIX: records of `LENGTH KEY=VALUE` and a line end.
    mutating func read(_ bytes: [UInt8]) throws(TarError) {
        var rest = bytes[...]
        while !rest.isEmpty {
            guard let space = rest.prefix(20).firstIndex(of: UInt8(ascii: " ")),
                let length = Int(String(decoding: rest[..<space], as: UTF8.self)), length > space - rest.startIndex + 1,
                length <= rest.count, rest[rest.startIndex + length - 1] == UInt8(ascii: "\n"),
                let equals = rest[space...].firstIndex(of: UInt8(ascii: "=")), equals < rest.startIndex + length
            else { throw TarError("an extended header is damaged") }
            let end = rest.startIndex + length
            try set(String(decoding: rest[(space + 1)..<equals], as: UTF8.self), Array(rest[(equals + 1)..<(end - 1)]))
            rest = rest[end...]
        }
    }

    private mutating func set(_ key: String, _ value: [UInt8]) throws(TarError) {
        let text = String(decoding: value, as: UTF8.self)
        switch key {
        case "path": path = value
        case "linkpath": target = value
        case "size": bytes = try number(text)
        case "uid": uid = try number(text)
        case "gid": gid = try number(text)
        case "mtime": modified = try time(text)
        // The inventory of a tree has these too, and more exactly.
        case "atime", "ctime", "uname", "gname", "hdrcharset": break
        case _ where key.hasPrefix("SCHILY.xattr.") || key.hasPrefix("SCHILY.acl."): break
        default: throw TarError("an extended header has an unknown key")
        }
    }

    /// Borg writes what Python makes of seconds as a floating-point number, such as `1e-09`: it is not exact.
    private func time(_ text: String) throws(TarError) -> Int64 {
        guard text.utf8.allSatisfy({ "0123456789.eE+-".utf8.contains($0) }), let seconds = Double(text) else {
            throw TarError("a time is not one")
        }
        return Int64(nearest: seconds * 1e9)
    }

    private func number(_ text: String) throws(TarError) -> Int64 {
        guard let number = Int64(text) else { throw TarError("a number is not one") }
        return number
    }
}
