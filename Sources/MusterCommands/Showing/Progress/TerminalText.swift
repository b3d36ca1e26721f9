extension String {
    /// How many columns of a terminal it takes.
    var columns: Int { reduce(0) { $0 + $1.columns } }

    /// In exactly as many columns: cut with an ellipsis, or padded.
    func fitted(to width: Int) -> String {
        let columns = columns
        guard columns > width else { return self + String(repeating: " ", count: width - columns) }
        var cut = ""
        var taken = 0
        for character in self {
            guard taken + character.columns < width else { break }
            cut.append(character)
            taken += character.columns
        }
        return cut + "…" + String(repeating: " ", count: max(width - taken - 1, 0))
    }
}

extension Character {
    /// East Asian wide characters and pictures take two columns.
    fileprivate var columns: Int {
        guard let first = unicodeScalars.first?.value, first >= 0x1100 else { return 1 }
        return Self.wide.contains { $0.contains(first) } ? 2 : 1
    }

    private static let wide: [ClosedRange<UInt32>] = [
        0x1100...0x115F, 0x2E80...0x303E, 0x3041...0xA4CF, 0xA960...0xA97F, 0xAC00...0xD7A3, 0xF900...0xFAFF,
        0xFE30...0xFE6F, 0xFF00...0xFF60, 0xFFE0...0xFFE6, 0x1F300...0x1F64F, 0x1F680...0x1F6FF, 0x1F900...0x1F9FF,
        0x20000...0x3FFFD,
    ]
}
