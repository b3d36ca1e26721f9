/// A version of Borg. Everything that depends on it is decided here, and in `BorgVersion+Dialect.swift`.
struct BorgVersion: Hashable, Comparable, CustomStringConvertible {
    var major: Int
    var minor: Int
    var patch: Int

    init(_ major: Int, _ minor: Int, _ patch: Int) {
        self.major = major
        self.minor = minor
        self.patch = patch
    }

    /// From what `borg --version` prints: `borg 1.4.5`, `borg 2.0.0b22`.
    init?(printed text: String) {
        let words = text.splitAtASCIISpace()
        guard words.count == 2, words[0].hasPrefix("borg") else { return nil }
        let numbers = words[1].split(atASCII: ".", maxSplits: 2).map { Int($0.prefix(while: \.isNumber)) }
        guard numbers.count == 3, let major = numbers[0], let minor = numbers[1], let patch = numbers[2] else {
            return nil
        }
        self.init(major, minor, patch)
    }

    /// From the first that works with us up to, not including, the first whose command line is another.
    static let supported = BorgVersion(1, 2, 0)..<BorgVersion(3, 0, 0)

    var description: String { "\(major).\(minor).\(patch)" }

    static func < (left: Self, right: Self) -> Bool {
        (left.major, left.minor, left.patch) < (right.major, right.minor, right.patch)
    }
}
