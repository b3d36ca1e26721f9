import DumpCore

extension Duration {
    /// As people say an age: the largest unit that fits twice, in whole numbers, such as `26 hours` or `3 days`.
    public var inWords: String {
        let seconds = max(components.seconds, 0)
        let units: [(Int64, String)] = [(7 * 86_400, "week"), (86_400, "day"), (3_600, "hour"), (60, "minute")]
        let (length, name) = units.first { seconds >= 2 * $0.0 } ?? (1, "second")
        let count = seconds / length
        return "\(count) \(name)\(count == 1 ? "" : "s")"
    }
}

extension Duration {
    /// Rounded to the precision of a `Double`.
    var seconds: Double { Double(components.seconds) + Double(components.attoseconds) / 1e18 }
}
