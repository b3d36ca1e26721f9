import DumpCore
import Reporting

/// Values as people read them, with the exact ones in attributes, for scripts and for tests.
extension Markup {
    static func bytes(_ count: Int64) -> Markup { "<data value=\"\(count)\">\(formatBytes(count))</data>" }

    static func count(_ count: Int) -> Markup { "<data value=\"\(count)\">\(count.grouped)</data>" }

    /// A duration. One that is below zero tells of a clock that was set back meanwhile.
    static func seconds(_ seconds: Double) -> Markup {
        "<data value=\"\(seconds.description)\">\(seconds.asDuration)</data>"
    }

    static func time(_ time: Timestamp) -> Markup {
        "<time datetime=\"\(time.description)\">\(time.readable)</time>"
    }

    static func code(_ text: String) -> Markup { "<code>\(text)</code>" }

    /// Such as `3 hours ago`, with the time itself beside it.
    static func age(of time: Timestamp, at now: Timestamp) -> Markup {
        let seconds = now.seconds(since: time)
        let words = seconds < -1 ? "ahead of the clock" : Duration.seconds(Int64(nearest: seconds)).inWords + " ago"
        return "<time datetime=\"\(time.description)\" title=\"\(time.readable) UTC\">\(words)</time>"
    }

    static func moment(_ moment: Moment) -> Markup {
        switch moment.kind {
        case .exact: "one instant, \(.time(moment.from))"
        case .window: "within \(.seconds(moment.to.seconds(since: moment.from))) from \(.time(moment.from))"
        case .live: "read live, \(.time(moment.from)) to \(.time(moment.to))"
        }
    }

    /// The sign of an outcome and its word: never the colour alone.
    static func outcome(_ outcome: RunReport.Outcome) -> Markup {
        "<span class=\"outcome\"><svg class=\"sign\" aria-hidden=\"true\"><use href=\"#\(outcome.sign)\" x=\"8\" y=\"8\"/></svg>\(outcome.word)</span>"
    }
}

extension RunReport.Outcome {
    /// The id of its sign, see `PageSigns`.
    var sign: String { "s-" + (self == .noResult ? "none" : rawValue) }

    var word: String { self == .noResult ? "ended without a result" : rawValue }
}

extension Timestamp {
    /// UTC, to the minute: `2026-11-23 08:01`. The page says once that its times are UTC.
    var readable: String { date + " " + clock }
    /// `2026-11-23`
    var date: String { String(iso8601(withMilliseconds: false).prefix { $0 != "T" }) }
    /// `08:01`
    var clock: String { String(iso8601(withMilliseconds: false).drop { $0 != "T" }.dropFirst().prefix(5)) }
}

extension Double {
    /// `0.4s`, `42s`, `2m30s`, `1h5m`.
    var asDuration: String {
        guard self >= 0 else { return "the clock was set back" }
        let tenths = Int64(nearest: self * 10)
        if tenths < 100 { return "\(tenths / 10).\(tenths % 10)s" }
        let seconds = min(Int64(nearest: self), 1 << 40)
        return Duration.seconds(seconds < 3600 ? seconds : seconds / 60 * 60).settingsText
    }
}

extension Int {
    /// With commas: `12,345`.
    var grouped: String {
        let digits = Array(magnitude.description)
        let groups = digits.enumerated().map { place, digit in
            (digits.count - place) % 3 == 0 && place > 0 ? ",\(digit)" : "\(digit)"
        }
        return (self < 0 ? "-" : "") + groups.joined()
    }
}
