import DumpCore

extension String {
    /// Its lines broken between words where they are wider than `width` columns; what follows is indented a little more than its line. A word
    /// that is wider than all of that stays whole: a path is to be copied.
    func wrapped(to width: Int) -> String {
        split(atASCII: "\n", omittingEmptySubsequences: false).map { String($0).wrappedLine(to: width) }
            .joined(separator: "\n")
    }

    private func wrappedLine(to width: Int) -> String {
        guard columns > width else { return self }
        let indent = String(prefix { $0 == " " }) + "    "
        var lines = [""]
        var isFirst = true
        for word in split(atASCII: " ", omittingEmptySubsequences: false) {
            let gap = isFirst ? "" : " "
            isFirst = false
            let last = lines[lines.count - 1]
            // The spaces that a line begins with are empty words.
            if last.contains(where: { $0 != " " }), last.columns + 1 + String(word).columns > width {
                lines.append(indent + word)
            } else {
                lines[lines.count - 1] = last + gap + word
            }
        }
        return lines.joined(separator: "\n")
    }
}
