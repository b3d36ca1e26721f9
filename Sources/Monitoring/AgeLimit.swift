import DumpCore

/// How old the last success of something may become.
public struct AgeLimit: Sendable, Equatable, Encodable {
    public var seconds: Double
    /// Whether it is `alert_after` of the job file. If not, it follows from how far apart the last successes were.
    public var isSet: Bool

    public init(seconds: Double, isSet: Bool) {
        self.seconds = seconds
        self.isSet = isSet
    }

    /// What the job file says, or three times the usual interval between successes. Nil if there is neither.
    ///
    /// - Parameter successes: in any order. The usual interval is the median of the last ten, of which there must be three.
    public init?(_ setting: Duration?, successes: [Timestamp]) {
        if let setting {
            self.init(seconds: setting.seconds, isSet: true)
            return
        }
        let times = Array(successes.sorted().suffix(11))
        let intervals = zip(times.dropFirst(), times).map { $0.seconds(since: $1) }.sorted()
        guard intervals.count >= 3 else { return nil }
        let usual = max(intervals[intervals.count / 2], Self.shortestInterval)
        self.init(seconds: 3 * usual, isSet: false)
    }

    /// Runs by hand, one after the other, are no rhythm.
    private static let shortestInterval = 8.0 * 3600

    public func isExceeded(since success: Timestamp, at now: Timestamp) -> Bool {
        now.seconds(since: success) > seconds
    }

    private enum CodingKeys: String, CodingKey {
        case seconds
        case isSet = "set"
    }
}
