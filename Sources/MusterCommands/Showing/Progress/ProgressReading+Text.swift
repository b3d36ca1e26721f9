import DumpCore

extension ProgressReading {
    /// For a line of a terminal, without its end: `app shop  [####----]  512 MiB of ~1.20 GiB  43.0 MiB/s  15s left  public.orders`.
    ///
    /// What does not fit in `width` columns is left out, the least telling first; what is left is cut.
    func text(width: Int, labelWidth: Int) -> String {
        let label = line.label.onOneLine.fitted(to: min(labelWidth, max(width / 3, 12)))
        var parts: [(rank: Int, text: String)] = [
            (0, label), (2, bar), (1, sizes), (4, speed ?? ""), (3, left ?? ""), (5, detail ?? ""),
        ].filter { !$0.1.isEmpty }
        while parts.count > 1, Self.columns(of: parts.map(\.text)) > width {
            let least = parts.map(\.rank).max()!
            parts.removeAll { $0.rank == least }
        }
        let text = parts.map(\.text).joined(separator: Self.gap)
        return text.columns > width ? text.fitted(to: width) : text
    }

    /// For a sentence: `app shop: 41 %, 512 MiB of ~1.20 GiB, 15s left`.
    var summary: String {
        "\(line.label.onOneLine): " + [percent, sizes, left, detail].compactMap(\.self).joined(separator: ", ")
    }

    private static let gap = "  "

    private static func columns(of parts: [String]) -> Int {
        parts.reduce(0) { $0 + $1.columns } + gap.count * (parts.count - 1)
    }

    private var sizes: String {
        let progress = line.progress
        guard progress.expectedBytes > 0 else { return formatBytes(progress.bytes) }
        return "\(formatBytes(progress.bytes)) of ~\(formatBytes(progress.expectedBytes))"
    }

    /// At most 99: what was expected is an estimate, and the line goes away with the end.
    private var percent: String? {
        let progress = line.progress
        guard progress.expectedBytes > 0 else { return nil }
        return "\(Int(min(99, 100 * Double(progress.bytes) / Double(progress.expectedBytes)))) %"
    }

    private var speed: String? { bytesPerSecond.flatMap { $0 > 0 ? "\(formatBytes($0))/s" : nil } }
    private var left: String? { secondsLeft.map { "\(shortDuration($0)) left" } }
    private var detail: String? { line.progress.detail?.onOneLine }

    private var bar: String {
        let progress = line.progress
        guard progress.expectedBytes > 0 else { return "[" + String(repeating: " ", count: 20) + "]" }
        // The estimate is one: a dump that outgrows it does not outgrow the bar.
        let filled = Int(20 * min(1, Double(progress.bytes) / Double(progress.expectedBytes)))
        return "[" + String(repeating: "#", count: filled) + String(repeating: "-", count: 20 - filled) + "]"
    }
}

/// The two largest units of a time: `45s`, `3m10s`, `2h5m`, `1d4h`.
func shortDuration(_ seconds: Int64) -> String {
    let units = [("d", 86400), ("h", 3600), ("m", 60), ("s", 1)] as [(String, Int64)]
    guard let first = units.firstIndex(where: { seconds >= $0.1 }) else { return "0s" }
    var rest = seconds
    var text = ""
    for (name, length) in units[first...].prefix(2) where rest >= length {
        text += "\(rest / length)\(name)"
        rest %= length
    }
    return text
}
