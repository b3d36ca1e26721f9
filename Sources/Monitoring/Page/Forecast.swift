import DumpCore

/// When a disk is full, if it fills as it did in the last 30 days: an estimate.
struct Forecast: Sendable {
    /// Per day.
    var bytesPerDay: Double
    var days: Double
    /// How many values it rests on.
    var values: Int

    private static let window = 30.0 * 86_400
    private static let fewest = 4
    private static let shortest = 7.0

    /// A forecast for what takes more room with each value.
    ///
    /// - Parameter growth: what was added at which time. Nil if those of the last 30 days are fewer than four, or from less than a week, or add
    ///   nothing.
    init?(growth: [(at: Timestamp, bytes: Int64)], room: Int64, now: Timestamp) {
        let recent = Self.recent(growth.map { ($0.at, Double($0.bytes)) }, now)
        guard let first = recent.first, let last = recent.last, recent.count >= Self.fewest else { return nil }
        let days = last.at.seconds(since: first.at) / 86_400
        guard days >= Self.shortest else { return nil }
        // The first one was added before the time that is measured.
        self.init(rate: recent.dropFirst().reduce(0) { $0 + $1.value } / days, room: Double(room), values: recent.count)
    }

    /// A forecast for a staging area: three sets, of which the next one needs room that is free now.
    ///
    /// - Parameter sizes: of sets, at which time. Nil under the same conditions.
    init?(sets sizes: [(at: Timestamp, bytes: Int64)], room: Int64, now: Timestamp) {
        let recent = Self.recent(sizes.map { ($0.at, Double($0.bytes)) }, now)
        guard let first = recent.first, let last = recent.last, recent.count >= Self.fewest,
            last.at.seconds(since: first.at) / 86_400 >= Self.shortest
        else { return nil }
        let days = recent.map { $0.at.seconds(since: first.at) / 86_400 }
        let (middle, mean) = (days.mean, recent.map(\.value).mean)
        let spread = days.reduce(0) { $0 + ($1 - middle) * ($1 - middle) }
        let slope = zip(days, recent).reduce(0) { $0 + ($1.0 - middle) * ($1.1.value - mean) } / spread
        self.init(rate: 3 * slope, room: Double(room) - last.value, values: recent.count)
    }

    private init?(rate: Double, room: Double, values: Int) {
        guard rate.isFinite, rate >= 1 else { return nil }
        (bytesPerDay, days, self.values) = (rate, max(room, 0) / rate, values)
    }

    private static func recent(_ values: [(Timestamp, Double)], _ now: Timestamp) -> [(at: Timestamp, value: Double)] {
        values.filter { (0...window).contains(now.seconds(since: $0.0)) }.sorted { $0.0 < $1.0 }
            .map { (at: $0.0, value: $0.1) }
    }

    /// When, such as `in about 40 days`.
    var text: String {
        switch days {
        case ..<1: "within a day"
        case ..<60: "in about \(Int64(nearest: days)) \(Int64(nearest: days) == 1 ? "day" : "days")"
        case ..<730: "in about \(Int64(nearest: days / 30.4)) months"
        case ..<3650: "in about \(Int64(nearest: days / 365)) years"
        default: "in more than ten years"
        }
    }
}

extension [Double] {
    fileprivate var mean: Double { reduce(0, +) / Double(count) }
}
