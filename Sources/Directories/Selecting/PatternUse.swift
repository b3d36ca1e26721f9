import DumpCore
import SystemPackage

/// Which patterns of a selection have matched something.
struct PatternUse: Sendable {
    /// Their places in the list.
    var matched: Set<Int> = []
}

extension Selection {
    /// What to say of patterns that matched nothing: one that was meant otherwise leaves data in the dump, or out of it.
    ///
    /// - Parameter path: of the tree.
    func unmatched(_ use: PatternUse, in path: FilePath) -> [Finding] {
        patterns.enumerated().filter { !use.matched.contains($0.offset) }.map { unmatched($0.element, in: path) }
    }

    private func unmatched(_ pattern: ExcludePattern, in path: FilePath) -> Finding {
        let message = "pattern '\(pattern.text)' of exclude: matches nothing in \(path)"
        if let meant = pattern.relative(to: path.components.map(\.bytes)) {
            return finding(.warning, pattern, message, hint: "Patterns begin at path:. Write '\(meant)'.")
        }
        if let above = pattern.isNegated ? obstacle(to: pattern) : nil {
            return finding(
                .warning, pattern,
                "pattern '\(pattern.text)' of exclude: takes nothing back: '\(above.text)' leaves out a directory that it leads through",
                hint: "Leave out what is in that directory instead, such as '/cache/*' in place of '/cache/'.")
        }
        if pattern.text.contains(",") {
            return finding(
                .note, pattern, message, hint: "If these are several patterns, put each into quotes of its own.")
        }
        return finding(
            .note, pattern, message,
            hint:
                "If it should match: patterns begin at path:, one that ends with / matches directories, and case matters."
        )
    }

    private func finding(
        _ severity: Finding.Severity, _ pattern: ExcludePattern, _ message: String, hint: String
    ) -> Finding {
        Finding(severity, "pattern_unmatched", object: pattern.text, message, hint: hint)
    }

    /// The pattern that leaves out a directory on the way to what another would take back.
    private func obstacle(to pattern: ExcludePattern) -> ExcludePattern? {
        let way = pattern.literalDirectories
        return way.indices.lazy.compactMap { end in
            let last = patterns.last { $0.matches(Array(way[...end]), isDirectory: true) }
            return last.flatMap { $0.isNegated ? nil : $0 }
        }.first
    }
}
