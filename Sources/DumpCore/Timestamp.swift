import Glibc

/// A point in time, to the millisecond, written in UTC as ISO 8601: `2026-11-23T08:01:02.345Z`.
public struct Timestamp: Sendable, Hashable, Comparable, Codable, CustomStringConvertible {
    /// Since 1970-01-01T00:00:00Z, leap seconds not counted.
    public let milliseconds: Int64

    public init(milliseconds: Int64) { self.milliseconds = milliseconds }

    /// As the times of files are counted, since 1970; what they cannot hold (after 2262) is the last that they can.
    public var nanoseconds: Int64 {
        let (count, isBeyond) = milliseconds.multipliedReportingOverflow(by: 1_000_000)
        return isBeyond ? (milliseconds < 0 ? .min : .max) : count
    }

    public static var now: Timestamp {
        var time = timespec()
        clock_gettime(CLOCK_REALTIME, &time)
        return Timestamp(milliseconds: Int64(time.tv_sec) * 1000 + Int64(time.tv_nsec) / 1_000_000)
    }

    /// The time that `text` spells in the form of `description`, fraction optional, or nil. Years have four digits.
    public init?(_ text: String) {
        let digits = text.split(whereSeparator: { !$0.isASCII || !$0.isNumber }).compactMap { Int64($0) }
        guard digits.count == 6 || digits.count == 7, digits[0] <= 9999, digits.count == 6 || digits[6] <= 999 else {
            return nil
        }
        var parts = tm()
        parts.tm_year = Int32(truncatingIfNeeded: digits[0] - 1900)
        parts.tm_mon = Int32(truncatingIfNeeded: digits[1] - 1)
        parts.tm_mday = Int32(truncatingIfNeeded: digits[2])
        parts.tm_hour = Int32(truncatingIfNeeded: digits[3])
        parts.tm_min = Int32(truncatingIfNeeded: digits[4])
        parts.tm_sec = Int32(truncatingIfNeeded: digits[5])
        milliseconds = Int64(timegm(&parts)) * 1000 + (digits.count == 7 ? digits[6] : 0)
        // Whatever is not exactly what we write ourselves (another order, the 31st of June) comes out as another text.
        guard iso8601(withMilliseconds: digits.count == 7) == text else { return nil }
    }

    public var description: String { iso8601(withMilliseconds: true) }

    public func iso8601(withMilliseconds: Bool) -> String {
        formatted("%Y-%m-%dT%H:%M:%S", calendar: gmtime_r) + (withMilliseconds ? "." + thousandths : "") + "Z"
    }

    /// For a person at a terminal: local time with its zone's offset, such as `2026-11-23 09:01:02 +0100`.
    public var local: String { formatted("%Y-%m-%d %H:%M:%S %z", calendar: localtime_r) }

    public static func < (left: Self, right: Self) -> Bool { left.milliseconds < right.milliseconds }

    /// Seconds from `earlier` to this.
    public func seconds(since earlier: Timestamp) -> Double { Double(milliseconds - earlier.milliseconds) / 1000 }

    private var thousandths: String { (((milliseconds % 1000) + 1000) % 1000).digits(3) }

    private func formatted(
        _ format: String, calendar: (UnsafePointer<time_t>, UnsafeMutablePointer<tm>) -> UnsafeMutablePointer<tm>?
    ) -> String {
        var seconds = time_t(milliseconds >= 0 ? milliseconds / 1000 : (milliseconds - 999) / 1000)
        var parts = tm()
        _ = calendar(&seconds, &parts)
        return withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { buffer in
            strftime(buffer.baseAddress!, buffer.count, format, &parts)
            return String(cString: buffer.baseAddress!)
        }
    }

    public init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        guard let time = Timestamp(try container.decode(String.self)) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: "not a time in UTC, ISO 8601")
        }
        self = time
    }

    public func encode(to encoder: any Encoder) throws {
        var container = encoder.singleValueContainer()
        try container.encode(description)
    }
}
