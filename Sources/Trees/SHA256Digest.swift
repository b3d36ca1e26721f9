import DumpCore

/// A SHA-256 that needs no memory but its own 32 bytes: there is one for each file of a tree.
public struct SHA256Digest: Sendable, Hashable, CustomStringConvertible {
    private var one: UInt64
    private var two: UInt64
    private var three: UInt64
    private var four: UInt64

    /// - Parameter hex: 64 lower-case hex digits; nil for anything else.
    public init?(_ hex: some Collection<UInt8>) {
        guard hex.count == 64 else { return nil }
        var digits = hex.makeIterator()
        func word() -> UInt64? {
            var word: UInt64 = 0
            for _ in 0..<16 {
                guard let digit = digits.next(), let value = hexValue(of: digit) else { return nil }
                word = word << 4 | UInt64(value)
            }
            return word
        }
        guard let one = word(), let two = word(), let three = word(), let four = word() else { return nil }
        (self.one, self.two, self.three, self.four) = (one, two, three, four)
    }

    public init?(_ hex: String) { self.init(hex.utf8) }

    /// 64 lower-case hex digits.
    public var description: String {
        var text: [UInt8] = []
        text.append(hexOf: self)
        return String(decoding: text, as: UTF8.self)
    }

    fileprivate var words: (UInt64, UInt64, UInt64, UInt64) { (one, two, three, four) }
}

extension [UInt8] {
    mutating func append(hexOf digest: SHA256Digest) {
        let (one, two, three, four) = digest.words
        append(number: one, radix: 16, width: 16)
        append(number: two, radix: 16, width: 16)
        append(number: three, radix: 16, width: 16)
        append(number: four, radix: 16, width: 16)
    }
}
