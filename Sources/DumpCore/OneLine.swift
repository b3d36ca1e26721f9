/// Names and messages from outside go through here before they reach a terminal, a log, the journal or a script. None of these obeys the
/// result.
///
/// Three kinds of characters are escaped: controls of both ranges, separators of lines and paragraphs, and marks that turn the direction of
/// writing. They would move a cursor, begin a line of their own, or show a name as another. Escaped text stays as it is when it is escaped
/// again.
extension String {
    /// The same on one line. Controls below 128 are `\` and three octal digits, as in inventories; others are like `\u{202E}`.
    public var onOneLine: String { escaped { $0.isObeyed } }

    /// The same with its own line ends, for text of several lines that Muster wrote.
    public var legible: String { escaped { $0.isObeyed && $0 != "\n" } }

    private func escaped(_ mustEscape: (Unicode.Scalar) -> Bool) -> String {
        guard unicodeScalars.contains(where: mustEscape) else { return self }
        var line = ""
        for scalar in unicodeScalars {
            if mustEscape(scalar) { line += scalar.spelled } else { line.unicodeScalars.append(scalar) }
        }
        return line
    }
}

extension [String] {
    /// Each on a line, and on one only.
    public var asLines: String { map(\.onOneLine).joined(separator: "\n") }
}

extension Unicode.Scalar {
    /// Whether a terminal, a journal or a reader of lines acts on it, or it makes text look like other text.
    public var isObeyed: Bool {
        switch value {
        case 0..<0x20, 0x7F..<0xA0: true
        case 0x2028, 0x2029: true
        case 0x061C, 0x200E, 0x200F, 0x202A...0x202E, 0x2066...0x2069: true
        case 0xFEFF: true
        default: false
        }
    }

    fileprivate var spelled: String {
        value < 0x80
            ? "\\" + value.digits(3, radix: 8) : "\\u{" + value.digits(4, radix: 16, uppercase: true) + "}"
    }
}
