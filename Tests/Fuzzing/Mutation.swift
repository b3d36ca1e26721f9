import SystemPackage
import TestSupport

/// Numbers that are the same for one seed, so that a round can be repeated.
struct Seeded: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}

extension [UInt8] {
    /// What is left of real input after a few changes of the kinds that break parsers.
    func mutated(by random: inout Seeded) -> [UInt8] {
        var bytes = self
        for _ in 0..<Int.random(in: 1...4, using: &random) { bytes.mutate(by: &random) }
        return bytes
    }

    private mutating func mutate(by random: inout Seeded) {
        guard !isEmpty else { return append(.random(in: 0...255, using: &random)) }
        let place = Int.random(in: indices, using: &random)
        let end = Swift.min(count, place + Int.random(in: 1...64, using: &random))
        switch Int.random(in: 0..<8, using: &random) {
        case 0: self[place] = .random(in: 0...255, using: &random)
        case 1: self[place] ^= 1 << UInt8.random(in: 0...7, using: &random)
        case 2: removeSubrange(place..<end)
        case 3: insert(contentsOf: self[place..<end], at: place)
        case 4: removeSubrange(place...)
        case 5: insert(contentsOf: Self.awkward.randomElement(using: &random)!.utf8, at: place)
        default: replaceNumber(near: place, &random)
        }
    }

    /// Numbers are where arithmetic goes wrong.
    private mutating func replaceNumber(near place: Int, _ random: inout Seeded) {
        func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
        guard let start = self[place...].firstIndex(where: isDigit) else { return }
        let end = self[start...].firstIndex { !isDigit($0) } ?? endIndex
        replaceSubrange(start..<end, with: Self.numbers.randomElement(using: &random)!.utf8)
    }

    private static let numbers = [
        "0", "-1", "-0", "1e308", "-1e308", "1e-308", "NaN", "9223372036854775807", "9223372036854775808",
        "-9223372036854775808",
        "18446744073709551615", "18446744073709551616", "4294967296", "2147483648", "99999999999999999999999999", "0.5",
        "00",
        "9223372036.854775807", "-9223372037.000000000",
    ]

    private static let awkward = [
        "\r\n", "\r", "\u{301}", "\u{0}", "\u{1B}[2J", "\u{202E}", "[", "{", "}", "\"", "\\", ",", ":", " ", "\n", "=",
        "../", "//", "\u{FEFF}",
        "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[", "\\u0000", "\\ud800", "%00", "%2F", "\\057", "#: ", "- ", "*a", "&a", "!!",
        "|\n",
    ]
}
