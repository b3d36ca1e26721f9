// Numbers and bytes as digits, for every module: text with zeros before it, and the same as ASCII bytes for files that are written quickly.

extension BinaryInteger {
    /// The digits of a number that is not below zero, with zeros before them.
    ///
    /// - Parameter count: how many digits at least.
    public func digits(_ count: Int, radix: UInt64 = 10, uppercase: Bool = false) -> String {
        var text: [UInt8] = []
        text.append(number: UInt64(self), radix: radix, width: count, uppercase: uppercase)
        return String(decoding: text, as: UTF8.self)
    }
}

extension [UInt8] {
    /// Appends the digits of a number.
    ///
    /// - Parameter width: how many digits at least.
    public mutating func append(number: UInt64, radix: UInt64 = 10, width: Int = 1, uppercase: Bool = false) {
        let letters = UInt8(ascii: uppercase ? "A" : "a") - 10
        var rest = number
        withUnsafeTemporaryAllocation(of: UInt8.self, capacity: Swift.max(UInt64.bitWidth, width)) { digits in
            // From the last one on.
            var start = digits.count
            repeat {
                let (quotient, digit) = rest.quotientAndRemainder(dividingBy: radix)
                start -= 1
                digits[start] = (digit < 10 ? UInt8(ascii: "0") : letters) + UInt8(digit)
                rest = quotient
            } while rest > 0 || digits.count - start < width
            append(contentsOf: UnsafeMutableBufferPointer(rebasing: digits[start...]))
        }
    }
}

/// The bytes that pairs of lower-case hex digits spell. Nil for anything else.
public func bytes(ofHex digits: some Collection<UInt8>) -> [UInt8]? {
    guard digits.count.isMultiple(of: 2) else { return nil }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(digits.count / 2)
    var rest = digits.makeIterator()
    while let high = rest.next(), let low = rest.next() {
        guard let high = hexValue(of: high), let low = hexValue(of: low) else { return nil }
        bytes.append(high << 4 | low)
    }
    return bytes
}

/// What a lower-case hex digit stands for.
public func hexValue(of digit: UInt8) -> UInt8? {
    switch digit {
    case UInt8(ascii: "0")...UInt8(ascii: "9"): digit - UInt8(ascii: "0")
    case UInt8(ascii: "a")...UInt8(ascii: "f"): digit - UInt8(ascii: "a") + 10
    default: nil
    }
}
