import DumpCore
import Glibc

/// Colour for the words that a reader looks for first, on terminals only. See https://no-color.org.
enum Emphasis {
    /// Colours a line's first word if it is a verdict, or says what kind of message the line is. The text stays as it is otherwise, so that
    /// nothing that others named can colour anything.
    static func coloured(_ text: String, on descriptor: Int32) -> String {
        guard isWanted(on: descriptor) else { return text }
        return text.split(atASCII: "\n", omittingEmptySubsequences: false).map(coloured).joined(separator: "\n")
    }

    private static let colours: [(word: String, code: Int)] = [
        ("OK ", 32), ("PROVEN", 32), ("WARNING ", 33), ("warning:", 33), ("FAILED", 31), ("failed:", 31),
        ("muster:", 31),
        ("interrupted:", 33),
    ]

    private static func coloured(_ line: Substring) -> String {
        guard let (word, code) = colours.first(where: { line.hasPrefix($0.word) }) else { return String(line) }
        return "\u{1B}[1;\(code)m\(word)\u{1B}[0m\(line.dropFirst(word.count))"
    }

    private static func isWanted(on descriptor: Int32) -> Bool {
        guard isatty(descriptor) == 1, value("NO_COLOR") == nil else { return false }
        return value("TERM") != nil && value("TERM") != "dumb"
    }

    /// Nil if it is empty, too.
    private static func value(_ name: String) -> String? {
        getenv(name).map { String(cString: $0) }.flatMap { $0.isEmpty ? nil : $0 }
    }
}
