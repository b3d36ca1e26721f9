/// A SHA-256 that needs no memory but its own 32 bytes: there is one for each file of a tree.
public struct SHA256Digest: Sendable, Hashable, CustomStringConvertible {
    private var one: UInt64
    private var two: UInt64
    private var three: UInt64
    private var four: UInt64

    /// - Parameter hex: 64 lower-case hex digits; nil for anything else.
    public init?(_ hex: some Collection<UInt8>) {
        guard hex.count == 64 else { return nil }
        var words: (UInt64, UInt64, UInt64, UInt64) = (0, 0, 0, 0)
        for digit in hex {
            guard let value = hexValue(of: digit) else { return nil }
            words.0 = words.0 << 4 | words.1 >> 60
            words.1 = words.1 << 4 | words.2 >> 60
            words.2 = words.2 << 4 | words.3 >> 60
            words.3 = words.3 << 4 | UInt64(value)
        }
        (one, two, three, four) = words
    }

    public init?(_ hex: String) { self.init(hex.utf8) }

    /// 64 lower-case hex digits.
    public var description: String {
        var text: [UInt8] = []
        text.append(hexOf: self)
        return String(decoding: text, as: UTF8.self)
    }

    fileprivate var words: [UInt64] { [one, two, three, four] }
}

extension [UInt8] {
    mutating func append(hexOf digest: SHA256Digest) {
        for word in digest.words { append(number: word, radix: 16, width: 16) }
    }

    /// - Parameter width: how many digits at least.
    mutating func append(number: some BinaryInteger, radix: UInt64 = 10, width: Int = 1) {
        var rest = UInt64(number)
        let start = count
        repeat {
            let digit = UInt8(rest % radix)
            append(digit < 10 ? UInt8(ascii: "0") + digit : UInt8(ascii: "a") - 10 + digit)
            rest /= radix
        } while rest > 0 || count - start < width
        self[start...].reverse()
    }
}

/// Of a lower-case hex digit.
func hexValue(of digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    default: nil
    }
}
