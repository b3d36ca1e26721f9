import Glibc

/// Numbers as a row of small bars, the smallest to the largest of them. Only where the locale has the characters.
struct Sparkline {
    private let values: [Int64]

    /// - Parameter values: not negative, oldest first.
    init(_ values: [Int64]) { self.values = values }

    var text: String {
        guard values.count > 1, let least = values.min(), let most = values.max(), Self.canShow else { return "-" }
        let span = Double(most) - Double(least)
        return values.map { value in
            // All the same: a line in the middle, which neither rises nor falls.
            let height = span > 0 ? (Double(value) - Double(least)) / span : 0.5
            return Self.bars[Int((height * Double(Self.bars.count - 1)).rounded())]
        }.joined()
    }

    private static let bars = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]

    private static var canShow: Bool {
        let names = ["LC_ALL", "LC_CTYPE", "LANG"]
        let locale = names.lazy.compactMap { name in getenv(name).map { String(cString: $0) } }.first { !$0.isEmpty }
        return locale.map { $0.uppercased().contains("UTF") } ?? false
    }
}
