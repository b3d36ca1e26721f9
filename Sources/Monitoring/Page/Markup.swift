import DumpCore

/// A piece of the page, HTML or SVG. Its literals are ours and stand as they are. Every text between them is escaped, so that no name from
/// outside becomes markup.
struct Markup: Sendable, ExpressibleByStringInterpolation {
    private(set) var text: String

    init(stringLiteral value: String) { text = value }
    init(stringInterpolation: Interpolation) { text = stringInterpolation.text }

    /// Text of others on one line: what it would command, such as marks that turn the direction of writing, is spelled out.
    init(of text: String) { self.text = text.onOneLine.escapedForMarkup }

    /// The same of several lines.
    init(linesOf text: String) { self.text = text.legible.escapedForMarkup }

    var isEmpty: Bool { text.isEmpty }

    static func + (one: Markup, other: Markup) -> Markup {
        var sum = one
        sum += other
        return sum
    }

    static func += (one: inout Markup, other: Markup) { one.text += other.text }

    struct Interpolation: StringInterpolationProtocol {
        fileprivate var text = ""

        init(literalCapacity: Int, interpolationCount: Int) {
            text.reserveCapacity(literalCapacity + 16 * interpolationCount)
        }

        mutating func appendLiteral(_ literal: String) { text += literal }
        /// Not for literals, which are ours: those of a condition, as in `\(isLast ? "</ul>" : "")`, are markup too.
        @_disfavoredOverload
        mutating func appendInterpolation(_ value: String) { text += Markup(of: value).text }
        mutating func appendInterpolation(_ value: Markup) { text += value.text }
        mutating func appendInterpolation(_ value: Int) { text += value.description }
        mutating func appendInterpolation(_ value: Int64) { text += value.description }
        mutating func appendInterpolation(_ values: [Markup]) { for value in values { text += value.text } }
        /// A place in a plot: two decimals are a fraction of a pixel.
        mutating func appendInterpolation(at place: Double) { text += place.shortText }
    }
}

extension Sequence<Markup> {
    func joined(by separator: Markup = "") -> Markup {
        var (all, isFirst) = (Markup(stringLiteral: ""), true)
        for piece in self {
            if !isFirst { all += separator }
            all += piece
            isFirst = false
        }
        return all
    }
}

extension String {
    fileprivate var escapedForMarkup: String {
        guard unicodeScalars.contains(where: { $0.spelledInMarkup != nil }) else { return self }
        var escaped = ""
        escaped.reserveCapacity(utf8.count + 32)
        for scalar in unicodeScalars {
            if let spelled = scalar.spelledInMarkup {
                escaped += spelled
            } else {
                escaped.unicodeScalars.append(scalar)
            }
        }
        return escaped
    }
}

extension Unicode.Scalar {
    /// What stands for it in text and in attributes; nil if it stands for itself. Noncharacters are errors in HTML.
    fileprivate var spelledInMarkup: String? {
        switch value {
        case 0x26: "&amp;"
        case 0x3C: "&lt;"
        case 0x3E: "&gt;"
        case 0x22: "&quot;"
        case 0x27: "&#39;"
        case 0xFDD0...0xFDEF: noncharacter
        case _ where value & 0xFFFE == 0xFFFE: noncharacter
        default: nil
        }
    }

    private var noncharacter: String { "\\u{\(value.digits(4, radix: 16, uppercase: true))}" }
}

extension Double {
    fileprivate var shortText: String {
        let hundredths = (self * 100).rounded()
        guard abs(hundredths) < 1e9 else { return "0" }
        let (whole, rest) = Int(hundredths).quotientAndRemainder(dividingBy: 100)
        guard rest != 0 else { return "\(whole)" }
        return "\(hundredths < 0 && whole == 0 ? "-" : "")\(whole).\(abs(rest) < 10 ? "0" : "")\(abs(rest))"
    }
}
