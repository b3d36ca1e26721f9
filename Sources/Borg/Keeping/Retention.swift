import DumpCore

/// Which archives of a series stay when a repository is pruned: `keep:` of a repository.
///
/// The rules are those of `borg prune`, and a test compares them with it. Muster applies them itself, because Borg applies them to every
/// archive whose name a pattern matches. Borg would count a foreign archive under such a name in place of the job's own, and would delete
/// it. Days, weeks, months and years are those of UTC, as Borg has them for us.
public struct Retention: Sendable, Equatable {
    /// Keeps the newest archive of each period, for a number of periods that have one.
    public enum Rule: String, Sendable, CaseIterable {
        /// Every archive is a period.
        case last
        case secondly, minutely, hourly, daily, weekly, monthly, yearly
    }

    /// Why an archive stays.
    public struct Reason: Sendable, Hashable, Codable, CustomStringConvertible {
        /// The name of a `Rule`, or `within`. `daily[oldest]` is the oldest of all, which stays as long as there are fewer days than `daily` asks for.
        public var rule: String
        /// How many the rule has kept, this one counted.
        public var number: Int

        public init(rule: String, number: Int) {
            self.rule = rule
            self.number = number
        }

        public var description: String { "\(rule) #\(number)" }
    }

    /// For each rule the number of its periods; -1 is all.
    private var counts: [Rule: Int] = [:]
    /// All archives that are younger stay.
    public var within: Span?

    public init() {}

    public subscript(rule: Rule) -> Int? {
        get { counts[rule] }
        set { counts[rule] = newValue }
    }

    /// Whether it keeps nothing at all.
    public var isEmpty: Bool { counts.isEmpty && within == nil }

    /// The archives that stay, by id, and why. All others go.
    public func reasons(toKeep archives: [Archive], at now: Timestamp = .now) -> [String: Reason] {
        let newestFirst = archives.sorted { $1.isOlder(than: $0) }
        var reasons: [String: Reason] = [:]
        if let within {
            let young = newestFirst.prefix { $0.start.milliseconds > now.milliseconds - within.milliseconds }
            for archive in young { reasons[archive.id] = Reason(rule: "within", number: reasons.count + 1) }
        }
        for rule in Rule.allCases {
            guard let count = counts[rule] else { continue }
            rule.keep(count, of: newestFirst, &reasons)
        }
        return reasons
    }
}

extension Retention.Rule {
    /// A period whose newest archive another rule keeps is passed over and not counted.
    fileprivate func keep(_ count: Int, of newestFirst: [Archive], _ reasons: inout [String: Retention.Reason]) {
        var kept = 0
        var last: String?
        for archive in newestFirst {
            let period = period(of: archive)
            guard period != last else { continue }
            last = period
            guard reasons[archive.id] == nil else { continue }
            kept += 1
            reasons[archive.id] = Retention.Reason(rule: rawValue, number: kept)
            if kept == count { return }
        }
        if kept < count, let oldest = newestFirst.last, reasons[oldest.id] == nil {
            reasons[oldest.id] = Retention.Reason(rule: "\(rawValue)[oldest]", number: kept + 1)
        }
    }

    /// Equal for archives of one period, if they follow one another in time.
    private func period(of archive: Archive) -> String {
        let text = archive.start.iso8601(withMilliseconds: false)
        switch self {
        case .last: return archive.id
        case .secondly: return text
        case .minutely: return String(text.prefix("2026-11-23T08:01".count))
        case .hourly: return String(text.prefix("2026-11-23T08".count))
        case .daily: return String(text.prefix("2026-11-23".count))
        case .weekly: return String(archive.start.week)
        case .monthly: return String(text.prefix("2026-11".count))
        case .yearly: return String(text.prefix("2026".count))
        }
    }
}

extension Timestamp {
    /// Weeks begin on Monday; 1970-01-01 was a Thursday.
    fileprivate var week: Int64 {
        let days = Int64((Double(milliseconds) / 86_400_000).rounded(.down))
        return Int64((Double(days + 3) / 7).rounded(.down))
    }
}

extension Retention {
    /// A span of time as `borg prune --keep-within` has it: `36H`, `14d`, `2w`, `6m`, `1y`.
    ///
    /// A month has 31 days and a year 365. Not a `Duration` of other settings, where `m` is a minute.
    public struct Span: Sendable, Equatable, CustomStringConvertible {
        public let count: Int
        public let unit: Character

        private static let hours: [Character: Int64] = ["H": 1, "d": 24, "w": 24 * 7, "m": 24 * 31, "y": 24 * 365]

        /// Nil unless `text` is such a span, of one unit at least.
        public init?(_ text: String) {
            guard let unit = text.last, Self.hours[unit] != nil, let count = Int(text.dropLast()),
                (1...Self.largestCount).contains(count), String(count) == text.dropLast()
            else { return nil }
            self.count = count
            self.unit = unit
        }

        public static let largestCount = 100_000

        public var milliseconds: Int64 { Int64(count) * Self.hours[unit]! * 3_600_000 }

        public var description: String { "\(count)\(unit)" }
    }
}
