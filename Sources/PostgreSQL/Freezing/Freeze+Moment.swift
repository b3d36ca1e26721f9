import DumpCore

extension Moment {
    /// The moment of databases that were frozen in one group or, where the connections did not suffice, in several.
    ///
    /// Its evidence has `attempts` and `seconds` of the barrier, and `groups` if there were several. For a window it also has
    /// `milliseconds` between the first and the last database. It then has `wal_first` and `wal_last` (positions in the write-ahead log)
    /// and `wal_bytes`, if they are known.
    ///
    /// - Parameter parts: what was dumped. A database that had to be frozen again is named in `frozen_again`.
    init(_ freezes: [Freeze], again parts: [DumpedPart] = []) {
        let again = parts.filter { !$0.freezes.isEmpty }
        let isAlone = freezes.count == 1 && freezes[0].views.count == 1
        // The only database there is: its first freeze does not count.
        self.init(isAlone && !again.isEmpty ? again.flatMap(\.freezes).suffix(1) : freezes + again.flatMap(\.freezes))
        if !again.isEmpty { evidence["frozen_again"] = Self.names(again.flatMap(\.databases).map(\.name)) }
        if freezes.count > 1 { evidence["groups"] = String(freezes.count) }
    }

    private static func names(_ names: [String]) -> String {
        names.prefix(10).joined(separator: ", ") + (names.count > 10 ? " and \(names.count - 10) more" : "")
    }

    private init(_ freezes: [Freeze]) {
        let isExact = freezes.count == 1 && freezes[0].isExact
        var evidence = [
            "attempts": String(freezes.reduce(0) { $0 + $1.attempts }),
            "seconds": freezes.reduce(.zero) { $0 + $1.time }.seconds,
        ]
        let views = freezes.flatMap(\.views)
        if !isExact {
            let times = views.map(\.microseconds)
            evidence["milliseconds"] = Duration.microseconds((times.max() ?? 0) - (times.min() ?? 0)).milliseconds
            let positions = views.compactMap(\.wal)
            if let first = positions.min(), let last = positions.max() {
                evidence["wal_first"] = walPosition(first)
                evidence["wal_last"] = walPosition(last)
                evidence["wal_bytes"] = String(last - first)
            }
        }
        self.init(
            isExact ? .exact : .window, from: freezes.map(\.from).min() ?? .now, to: freezes.map(\.to).max() ?? .now,
            evidence: evidence)
    }
}

/// As the server writes it, such as `0/16B3748`.
private func walPosition(_ bytes: Int64) -> String {
    let digits = { (number: Int64) in String(number, radix: 16, uppercase: true) }
    return "\(digits(bytes >> 32))/\(digits(bytes & 0xFFFF_FFFF))"
}

extension Duration {
    /// As evidence has it, such as `0.017`.
    var seconds: String { decimal(microseconds / 1000) }
    fileprivate var milliseconds: String { decimal(microseconds) }

    private var microseconds: Int64 { components.seconds * 1_000_000 + components.attoseconds / 1_000_000_000_000 }

    /// A count of thousandths as a number with three decimals.
    private func decimal(_ thousandths: Int64) -> String {
        "\(thousandths / 1000).\((thousandths % 1000).digits(3))"
    }
}
