import DumpCore

/// When a table is stored as rows and changes, and when it is stored whole again.
public struct RowPolicy: Sendable {
    /// What has fewer bytes stays a plain file.
    public var leastBytes: Int64 = 1 << 20
    /// What a base may grow to in age.
    public var maxAge = Duration.seconds(90 * 86400)
    /// Changes that may follow a base before some are folded.
    public var mostChanges = 64

    public init() {}

    /// Whether a base is so old that the next one is due. Each table has an age of its own, of half the limit or more, so that not all are due
    /// in one night.
    ///
    /// A base of the future is of a clock that was wrong.
    func isDue(_ base: Timestamp, of table: String, at now: Timestamp) -> Bool {
        let limit = maxAge / .seconds(1)
        let age = abs(now.seconds(since: base))
        return age >= limit / 2 * (1 + Self.share(of: table))
    }

    /// Between 0 and 1, by a table's name: the same each time. FNV-1a.
    private static func share(of table: String) -> Double {
        var hash: UInt64 = 0xcbf2_9ce4_8422_2325
        for byte in table.utf8 { hash = (hash ^ UInt64(byte)) &* 0x0000_0100_0000_01b3 }
        return Double((hash ^ hash >> 32) % 1024) / 1024
    }

    /// How many of the last changes become one, given the bytes of each. At least half of those that there may be. Earlier changes are
    /// added while they are no larger than all that follow them, so that a large one is not folded each time.
    func folded(_ sizes: [Int64]) -> Int {
        var (count, sum) = (0, Int64(0))
        for size in sizes.reversed() {
            guard count < mostChanges / 2 || size <= sum else { break }
            count += 1
            sum += size
        }
        return count
    }
}

/// What the files of a chain are called: after times in UTC that sort, such as `20261130T001007Z`.
enum RowName {
    static func text(of time: Timestamp) -> String {
        time.iso8601(withMilliseconds: false).filter { $0 != "-" && $0 != ":" }
    }

    /// Nil if we never make it.
    static func time(of name: String) -> Timestamp? {
        let digits = Array(name.utf8)
        guard digits.count == 16 else { return nil }
        func part(_ range: Range<Int>) -> String { String(decoding: digits[range], as: UTF8.self) }
        return Timestamp(
            "\(part(0..<4))-\(part(4..<6))-\(part(6..<8))T\(part(9..<11)):\(part(11..<13)):\(part(13..<15))Z")
    }

    /// The time of now, or one that comes after the last name: a clock may have been set back.
    static func next(after last: Timestamp, at now: Timestamp) -> String {
        text(of: max(now, Timestamp(milliseconds: last.milliseconds + 1000)))
    }
}
