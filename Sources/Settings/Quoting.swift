/// Text from a file as a message shows it: in quotes, on one line, of limited length.
func quoted(_ text: String) -> String {
    let limit = 60
    let shown = text.unicodeScalars.prefix(limit).map { $0.isControl ? $0.escaped(asASCII: true) : String($0) }
    return "'" + shown.joined() + (text.unicodeScalars.count > limit ? "…" : "") + "'"
}

/// Like `quoted`, unless a password could be in the text: someone may have put one where it does not belong.
func excerpt(_ text: String) -> String {
    let lower = text.lowercased()
    let suspicious = ["passw", "passphrase", "://"].contains { lower.contains($0) }
    return suspicious ? "(not shown, as it may hold a password)" : quoted(text)
}

/// `a`, `a or b`, `a, b or c`.
func listed(_ words: [String], _ conjunction: String) -> String {
    guard let last = words.last, words.count > 1 else { return words.first ?? "" }
    return words.dropLast().joined(separator: ", ") + " \(conjunction) " + last
}

extension Unicode.Scalar {
    /// Whether a terminal would act on it, or a reader would not see it: controls, line separators, the byte order mark.
    var isControl: Bool {
        switch value {
        case 0..<0x20, 0x7f..<0xa0, 0x2028, 0x2029, 0x202a...0x202e, 0x2066...0x2069, 0xfeff: true
        default: false
        }
    }
}
