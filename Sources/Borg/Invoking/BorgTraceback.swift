/// An error of Python's that Borg did not expect: what Borg ends with where it has no words of its own.
///
/// People get the last line of it. The files that were at work tell what Borg was busy with when it failed.
struct BorgTraceback: Sendable, Equatable {
    /// Names of the files of source code, outermost call first.
    var files: [String]
    /// The exception, such as `OSError: [Errno 28] No space left on device`.
    var exception: String

    static let begin = "Traceback (most recent call last):"

    /// Nil unless `text` holds one. Of several that led to one another, the last exception counts.
    init?(in text: String) {
        guard text.contains(Self.begin) else { return nil }
        let lines = text[text.firstRange(of: Self.begin)!.lowerBound...].split(atASCII: "\n")
        guard let last = lines.last(where: Self.isException) else { return nil }
        exception = String(last)
        files = lines.compactMap { line in
            line.firstMatch(of: /^ +File "([^"]+)", line/).map { String($0.output.1.split(atASCII: "/").last ?? "") }
        }
    }

    private static func isException(_ line: Substring) -> Bool {
        line.first?.isLetter == true && line.contains(/^[A-Za-z_.]+(:|$)/) && !line.hasPrefix("Borg server: ")
    }
}

/// An error of the operating system's as Python writes it: `[Errno 13] Permission denied: '/root/.config'`.
struct SystemFault: Sendable, Equatable {
    var number: Int32
    /// What could not be used, where Python says so.
    var path: String?

    init?(in text: String) {
        guard let found = text.firstMatch(of: /\[Errno ([0-9]+)\][^:']*(?:: '([^']*)')?/),
            let number = Int32(found.output.1)
        else { return nil }
        self.number = number
        path = found.output.2.map(String.init)
    }
}

/// Collects the lines of a traceback that Python prints by itself, which comes as text.
///
/// A traceback that Python ignores leaves nothing: something else is wrong, and Borg says what.
struct PrintedTraceback: Sendable {
    enum Taken: Equatable {
        case no, part
        case whole(BorgTraceback)
        case ignored
    }

    private var lines: [String] = []
    private var isIgnored = false

    mutating func take(_ line: String) -> Taken {
        if line.hasPrefix("Exception ignored in") {
            isIgnored = true
            return .ignored
        }
        if line == BorgTraceback.begin {
            lines = [line]
            return .part
        }
        guard !lines.isEmpty else { return .no }
        lines.append(line)
        guard !line.hasPrefix(" ") else { return .part }
        defer { (lines, isIgnored) = ([], false) }
        guard let traceback = BorgTraceback(in: lines.joined(separator: "\n")) else { return .no }
        return isIgnored ? .ignored : .whole(traceback)
    }
}
