import DumpCore

/// Values upwards, from zero: a plot that begins elsewhere makes much of little.
struct ValueAxis: Sendable {
    struct Tick: Sendable {
        var value: Double
        var label: String
    }

    /// In rising order, from zero. The last is at or above every value.
    let ticks: [Tick]
    var top: Double { ticks.last?.value ?? 1 }

    /// From 0 to 1.
    func share(of value: Double) -> Double { min(max(value / top, 0), 1) }

    /// - Parameter most: the greatest value, in bytes.
    init(bytes most: Double) {
        let exponent = Self.units.indices.last { pow1024($0) <= most } ?? 0
        let (unit, name) = (pow1024(exponent), Self.units[exponent])
        let step = Self.step(upTo: most / unit, among: exponent == 0 ? [1, 2, 5] : [0.5, 1, 2, 5])
        ticks = Self.multiples(of: step, upTo: most / unit).map { count in
            Tick(value: count * unit, label: count == 0 ? "0" : "\(count.plainText) \(name)")
        }
    }

    /// - Parameter most: the greatest value.
    init(seconds most: Double) {
        let most = min(most, 1e12)
        let step = Self.durations.first { most / $0 <= Self.intervals } ?? (most / Self.intervals).rounded(.up)
        ticks = Self.multiples(of: step, upTo: most).map { seconds in
            Tick(value: seconds, label: seconds < 60 ? seconds.asPlainSeconds : Self.label(seconds))
        }
    }

    private static let units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"]
    private static let intervals = 4.0
    private static let durations: [Double] = [
        0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400,
    ]

    private static func label(_ seconds: Double) -> String {
        Duration.milliseconds(Int64(nearest: seconds * 1000)).settingsText
    }

    private static func step(upTo most: Double, among digits: [Double]) -> Double {
        for power in [1.0, 10, 100, 1000] {
            for digit in digits where most / (digit * power) <= intervals { return digit * power }
        }
        return (most / intervals).rounded(.up)
    }

    private static func multiples(of step: Double, upTo most: Double) -> [Double] {
        let count = max(1, Int((most / step).rounded(.up)))
        return (0...min(count, 10)).map { Double($0) * step }
    }
}

private func pow1024(_ exponent: Int) -> Double { (0..<exponent).reduce(1) { power, _ in power * 1024 } }

extension Double {
    /// Without a fraction of zero.
    fileprivate var plainText: String { self == rounded() && magnitude < 1e15 ? "\(Int64(nearest: self))" : "\(self)" }

    fileprivate var asPlainSeconds: String {
        let (whole, tenths) = Int64(nearest: self * 10).quotientAndRemainder(dividingBy: 10)
        return tenths > 0 ? "\(whole).\(tenths)s" : whole > 0 ? "\(whole)s" : "0"
    }
}
