import DumpCore
import Settings

/// Mistakes of layout, which libyaml describes by what it was about to parse. What helps is to see how the line is indented, and how those above
/// it are.
extension SourceText {
    /// Nil unless the problem comes from how a line is indented, or from a blank that is missing behind a colon.
    func misplaced(_ problem: YAMLProblem) -> Diagnostic? {
        let line = problem.mark.line
        if problem.message.contains("did not find expected key") { return between(line) }
        guard problem.message.contains("mapping values are not allowed"), let above = lineAbove(line) else {
            return nil
        }
        return withoutBlank(above, line) ?? belowValue(above, line)
    }

    /// A line that is indented like none of those that it could stand beside.
    private func between(_ line: Int) -> Diagnostic? {
        guard let indent = indent(of: line) else { return nil }
        let open = openIndents(above: line)
        guard !open.contains(indent), let outer = open.last(where: { $0 < indent }),
            let inner = open.first(where: { $0 > indent })
        else { return nil }
        return Diagnostic(
            Mark(line: line, column: indent + 1), .root,
            "this line is indented by \(blanks(indent)), and those above it by \(outer) and by \(inner)",
            hint: "Indent it like the line that it belongs beside.")
    }

    /// A key that is indented deeper than a key above it which has a value already.
    private func belowValue(_ above: Int, _ line: Int) -> Diagnostic? {
        guard let indent = indent(of: line), let outer = self.indent(of: above), indent > outer,
            lines[above - 1].contains(/: +[^ #|>]/)
        else { return nil }
        return Diagnostic(
            Mark(line: line, column: indent + 1), .root,
            "this line is indented deeper than line \(above), which has its value already",
            hint: (outer == 0 ? "Do not indent it" : "Indent it by \(blanks(outer))")
                + ", like line \(above), or leave the value of line \(above) out if this belongs to it."
        )
    }

    /// `staging:/srv` is one word to YAML.
    private func withoutBlank(_ above: Int, _ line: Int) -> Diagnostic? {
        guard let key = lines[above - 1].firstMatch(of: /^ *([A-Za-z0-9_.-]+):[^ ]/) else { return nil }
        return Diagnostic(
            Mark(line: above, column: 1 + (indent(of: above) ?? 0)), .root,
            "there is no space after the colon of '\(key.output.1)'",
            hint: "Write a space after it.")
    }

    private var lines: [Substring] { text.split(atASCII: "\n", omittingEmptySubsequences: false) }

    /// The nearest line above that holds something.
    private func lineAbove(_ line: Int) -> Int? {
        (1..<max(line, 1)).last { indent(of: $0) != nil }
    }

    /// How many blanks a line begins with; nil if nothing is behind them, or a comment.
    private func indent(of line: Int) -> Int? {
        guard lines.indices.contains(line - 1) else { return nil }
        let text = lines[line - 1]
        guard let first = text.first(where: { $0 != " " }), first != "#", first != "\r" else { return nil }
        return text.prefix { $0 == " " }.count
    }

    /// The indents of the lines that a line could continue, outermost first.
    private func openIndents(above line: Int) -> [Int] {
        var open: [Int] = []
        for above in stride(from: line - 1, to: 0, by: -1) {
            guard let indent = indent(of: above), indent < open.first ?? .max else { continue }
            open.insert(indent, at: 0)
        }
        return open
    }

    private func blanks(_ count: Int) -> String { count == 1 ? "1 space" : "\(count) spaces" }
}
