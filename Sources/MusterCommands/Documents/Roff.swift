import DumpCore
import Glibc

/// The few requests of man(7) that a manual page needs.
enum Roff {
    static func page(_ title: String, _ section: Int, name: String, summary: String, _ sections: [String]) -> String {
        let opening = [
            ".\\\" Made by make documents. Do not edit.",
            ".TH \(argument(title)) \"\(section)\" \"\(date)\" \"muster \(toolVersion)\" \"Muster\"", ".SH NAME",
            "\(escaped(name)) \\- \(escaped(summary.withoutFullStop))",
        ]
        return (opening + sections.filter { !$0.isEmpty }).joined(separator: "\n") + "\n"
    }

    /// The date of a page, in UTC: a package sets SOURCE_DATE_EPOCH, so that the same source gives the same pages (reproducible-builds.org).
    private static var date: String {
        let epoch = getenv("SOURCE_DATE_EPOCH").flatMap { Int64(String(cString: $0)) }
        let time = epoch.map { Timestamp(milliseconds: $0 * 1000) } ?? .now
        return String(time.iso8601(withMilliseconds: false).prefix(10))
    }

    static func section(_ title: String, _ parts: [String]) -> String {
        ([".SH \(title)"] + parts).joined(separator: "\n")
    }

    static func subsection(_ title: String) -> String { ".SS \(escaped(title))" }

    static func text(_ text: String) -> String { line(escaped(text)) }

    static func bold(_ text: String) -> String { ".nh\n.B \(argument(text))\n.hy" }

    /// A term, and what is said of it.
    static func item(_ term: String, _ text: String) -> String {
        ".TP\n.B \(argument(term))\n\(line(escaped(text)))"
    }

    static func paragraphs(_ text: String) -> [String] {
        text.split(atASCII: "\n", omittingEmptySubsequences: false).map(String.init).reduce(into: [String]()) {
            lines, text in
            lines.append(text.isEmpty ? ".PP" : line(escaped(text)))
        }
    }

    /// All of a text as one argument of a request, which a quote in it would end.
    private static func argument(_ text: String) -> String {
        "\"\(escaped(text).replacing("\"", with: "\\(dq"))\""
    }

    /// A line that begins with a full stop or a quote would be a request.
    private static func line(_ text: String) -> String {
        text.hasPrefix(".") || text.hasPrefix("'") ? "\\&\(text)" : text
    }

    private static func escaped(_ text: String) -> String {
        text.unicodeScalars.map { scalar in
            switch scalar {
            case "\\": "\\e"
            case "-": "\\-"
            case "'": "\\(aq"
            case "`": "\\(ga"
            case "^": "\\(ha"
            case "~": "\\(ti"
            case _ where !scalar.isASCII: "\\[u\(scalar.value.digits(4, radix: 16, uppercase: true))]"
            default: String(scalar)
            }
        }.joined()
    }
}

extension String {
    fileprivate var withoutFullStop: String { hasSuffix(".") ? String(dropLast()) : self }
}
