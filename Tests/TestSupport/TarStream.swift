/// A tar stream, made by hand: with anything in it that nobody should write.
public struct TarStream {
    public private(set) var bytes: [UInt8] = []

    public init() {}

    /// - Parameter name: of at most 100 bytes, unless `long`.
    public mutating func add(
        _ name: String, type: Character = "0", content: String = "", target: String = "", mode: String = "0000644",
        owner: String = "0000000", size: [UInt8]? = nil, time: [UInt8]? = nil
    ) {
        var header = [UInt8](repeating: 0, count: 512)
        func put(_ text: some Sequence<UInt8>, _ start: Int) {
            for (place, byte) in text.enumerated() { header[start + place] = byte }
        }
        put(name.utf8.prefix(100), 0)
        put(mode.utf8, 100)
        put(owner.utf8, 108)
        put(owner.utf8, 116)
        put(size ?? Self.octal(content.utf8.count, 11), 124)
        put(time ?? Self.octal(1_700_000_000, 11), 136)
        put([UInt8](repeating: 32, count: 8), 148)
        header[156] = type.asciiValue!
        put(target.utf8.prefix(100), 157)
        put("ustar  \0".utf8, 257)
        put(Self.octal(header.reduce(0) { $0 + Int($1) }, 6) + [0], 148)
        bytes += header + Array(content.utf8)
        bytes += [UInt8](repeating: 0, count: (512 - content.utf8.count % 512) % 512)
    }

    /// A name or a target of any length, in an entry before the one that it is for.
    public mutating func addLong(_ text: String, isTarget: Bool = false) {
        add("././@LongLink", type: isTarget ? "K" : "L", content: text + "\0")
    }

    public mutating func addExtended(_ records: [(String, String)], declaring length: Int? = nil) {
        let text = records.map { key, value in
            let rest = " \(key)=\(value)\n"
            let digits = String(rest.utf8.count + 2).count
            return "\(length ?? rest.utf8.count + digits)\(rest)"
        }.joined()
        add("x", type: "x", content: text)
    }

    public mutating func end() { bytes += [UInt8](repeating: 0, count: 1024) }

    static func octal(_ number: Int, _ width: Int) -> [UInt8] {
        let digits = String(number, radix: 8)
        return Array((String(repeating: "0", count: max(0, width - digits.count)) + digits).utf8)
    }
}
