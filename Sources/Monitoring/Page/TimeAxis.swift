import DumpCore

/// The time that plots of a job have in common, from the left to the right.
struct TimeAxis: Sendable {
    let from: Timestamp
    let to: Timestamp

    struct Tick {
        var at: Timestamp
        var label: String
        /// Whether its label gives way on a narrow screen. That of a midnight does not.
        var isMinor: Bool
    }

    /// Covers these times and now, but not what a wrong clock has dated. Times more than a day ahead of now are left out, unless there are
    /// no others. So are times that are apart from the rest by more than a year and by more than four times what the rest covers.
    init(_ times: [Timestamp], now: Timestamp) {
        let tomorrow = now.milliseconds.plus(Self.day)
        let past = times.filter { $0.milliseconds <= tomorrow }
        let known = (past.isEmpty ? times : past).sorted(by: >)
        let end = past.isEmpty ? known.first ?? now : max(now, known[0])
        var start = past.isEmpty ? end : min(now, end)
        for time in known {
            let covered = end.milliseconds - start.milliseconds
            guard start.milliseconds - time.milliseconds <= max(366 * Self.day, 4 * covered) else { break }
            start = min(start, time)
        }
        to = end
        from = min(start, Timestamp(milliseconds: end.milliseconds.minus(Self.day)))
    }

    static let day: Int64 = 86_400_000

    func covers(_ time: Timestamp) -> Bool { from <= time && time <= to }

    /// From 0 to 100.
    func place(of time: Timestamp) -> Double { 100 * time.seconds(since: from) / to.seconds(since: from) }

    /// At round times, at most about this many.
    func ticks(atMost count: Int) -> [Tick] {
        let span = to.milliseconds - from.milliseconds
        if let step = Self.steps.first(where: { span / $0 <= Int64(count) }) { return ticks(every: step) }
        let months = Self.months.first { span / (Int64($0) * 30 * Self.day) <= Int64(count) } ?? 12_000
        return ticks(everyMonths: months)
    }

    private static let hour: Int64 = 3_600_000
    private static let steps = [hour, 3 * hour, 6 * hour, 12 * hour, day, 2 * day, 7 * day, 14 * day]
    private static let months = [1, 2, 3, 6, 12, 24, 60, 120, 600]

    private func ticks(every step: Int64) -> [Tick] {
        // Weeks begin on Monday, and 1970 on a Thursday.
        let origin = step >= 7 * Self.day ? 4 * Self.day : 0
        let first = (from.milliseconds - origin + step - 1) / step * step + origin
        return stride(from: first, through: to.milliseconds, by: Int64.Stride(step)).map { milliseconds in
            let time = Timestamp(milliseconds: milliseconds)
            return Tick(
                at: time, label: milliseconds % Self.day == 0 ? time.dayAndMonth : time.clock,
                isMinor: (milliseconds - origin) / step % 2 != 0)
        }
    }

    private func ticks(everyMonths step: Int) -> [Tick] {
        guard let year = Int(from.date.prefix(4)) else { return [] }
        var ticks: [Tick] = []
        for month in stride(from: year * 12 / step * step, to: 12 * 10_000, by: step) {
            let text = "\((month / 12).digits(4))-\((month % 12 + 1).digits(2))-01T00:00:00Z"
            guard let time = Timestamp(text), time <= to else { break }
            guard time >= from else { continue }
            let label = step < 12 ? time.monthAndYear : "\(month / 12)"
            ticks.append(Tick(at: time, label: label, isMinor: month / step % 2 != 0))
        }
        return ticks
    }
}

extension Timestamp {
    /// `23 Nov`
    fileprivate var dayAndMonth: String { "\(Int(date.suffix(2)) ?? 0) \(month)" }
    fileprivate var monthAndYear: String { "\(month) \(date.prefix(4))" }

    private var month: String {
        let number = Int(date.dropFirst(5).prefix(2)) ?? 0
        let names = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
        return names.indices.contains(number - 1) ? names[number - 1] : ""
    }
}
