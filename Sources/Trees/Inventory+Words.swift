import DumpCore
import Glibc
import Linux
import SystemPackage

/// The words of a line, one after the other.
struct Words {
    private var rest: Slice<UnsafeRawBufferPointer>

    init(_ line: UnsafeRawBufferPointer) { rest = line[...] }

    var isAtEnd: Bool { rest.isEmpty }

    /// Empty at the end.
    mutating func next() -> Slice<UnsafeRawBufferPointer> {
        let end = rest.firstIndex(of: UInt8(ascii: " "))
        defer { rest = rest[(end.map { $0 + 1 } ?? rest.endIndex)...] }
        return rest[..<(end ?? rest.endIndex)]
    }

    /// What follows `key=`, if that is what comes next.
    mutating func value(of key: StaticString) -> Slice<UnsafeRawBufferPointer>? {
        let count = key.utf8CodeUnitCount
        guard rest.count > count, memcmp(rest.base.baseAddress! + rest.startIndex, key.utf8Start, count) == 0,
            rest[rest.startIndex + count] == UInt8(ascii: "=")
        else { return nil }
        return next().dropFirst(count + 1)
    }
}

extension FileStatus.Kind {
    init?(mtreeName name: Slice<UnsafeRawBufferPointer>) {
        guard let known = Self.mtreeNames.first(where: { $0.name.utf8.elementsEqual(name) }) else { return nil }
        self = known.kind
    }
}

extension ExtendedAttribute {
    /// `xattr.NAME=HEX`.
    init?(word: Slice<UnsafeRawBufferPointer>) {
        let prefix = "xattr.".utf8
        guard word.starts(with: prefix), let equals = word.firstIndex(of: UInt8(ascii: "=")),
            let name = unescaped(word[..<equals].dropFirst(prefix.count)), !name.contains(0),
            let value = bytes(ofHex: word[(equals + 1)...])
        else { return nil }
        self.init(name: name, value: value)
    }
}

func unescaped(_ text: Slice<UnsafeRawBufferPointer>) -> [UInt8]? {
    guard text.contains(UInt8(ascii: "\\")) else { return Array(text) }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count)
    var rest = text
    while let byte = rest.popFirst() {
        guard byte == UInt8(ascii: "\\") else {
            bytes.append(byte)
            continue
        }
        guard rest.count >= 3, let value = UInt8(digits: rest.prefix(3), radix: 8) else { return nil }
        bytes.append(value)
        rest = rest.dropFirst(3)
    }
    return bytes
}

extension FilePath {
    init?(escapedFromRoot text: Slice<UnsafeRawBufferPointer>) {
        guard text.first == UInt8(ascii: ".") else { return nil }
        if text.count == 1 {
            self = FilePath()
            return
        }
        guard text.dropFirst().first == UInt8(ascii: "/"), var bytes = unescaped(text.dropFirst(2)),
            leadsDown(bytes)
        else { return nil }
        bytes.append(0)
        self = bytes.withUnsafeBytes { FilePath(platformString: $0.assumingMemoryBound(to: CChar.self).baseAddress!) }
    }
}

/// Whether a path stays below where it starts, and is written in the only way that it can be.
private func leadsDown(_ path: [UInt8]) -> Bool {
    // For the name at hand: how many bytes it has, and whether all of them are dots.
    var (count, isDots) = (0, true)
    for byte in path + [UInt8(ascii: "/")] {
        guard byte != UInt8(ascii: "/") else {
            guard count > 0, !isDots || count > 2 else { return false }
            (count, isDots) = (0, true)
            continue
        }
        guard byte != 0 else { return false }
        count += 1
        isDots = isDots && byte == UInt8(ascii: ".")
    }
    return true
}

extension FixedWidthInteger {
    /// Digits and nothing else.
    init?(digits: Slice<UnsafeRawBufferPointer>, radix: Self = 10) {
        guard !digits.isEmpty else { return nil }
        var number: Self = 0
        for digit in digits {
            guard let value = hexValue(of: digit), value < radix else { return nil }
            let (product, overflowed) = number.multipliedReportingOverflow(by: radix)
            let (sum, overflows) = product.addingReportingOverflow(Self(value))
            guard !overflowed, !overflows else { return nil }
            number = sum
        }
        self = number
    }
}

extension Int64 {
    init?(seconds text: Slice<UnsafeRawBufferPointer>) {
        let isNegative = text.first == UInt8(ascii: "-")
        guard let dot = text.firstIndex(of: UInt8(ascii: ".")), text.endIndex - dot == 10,
            let magnitude = Int64(digits: isNegative ? text[..<dot].dropFirst() : text[..<dot]),
            let fraction = Int64(digits: text[(dot + 1)...])
        else { return nil }
        let (product, overflow) = (isNegative ? -magnitude : magnitude)
            .multipliedReportingOverflow(by: 1_000_000_000)
        let (sum, overflows) = product.addingReportingOverflow(fraction)
        guard !overflow, !overflows else { return nil }
        self = sum
    }
}

extension UInt64 {
    init?(device text: String) {
        let parts = text.split(atASCII: ",")
        guard parts.count == 3, parts[0] == "native", let major = UInt32(parts[1]), let minor = UInt32(parts[2]) else {
            return nil
        }
        self = makeDevice(major, minor)
    }
}
