import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("Commands of Muster that the pages show")
struct ShownCommandTests {
    @Test("exist, with every option that is shown")
    func exist() throws {
        let commands = try DescribedCommand.all()
        try #require(commands.count > 30)
        var count = 0
        for page in try pages() {
            for shown in try ShownCommand.all(in: read(Repository.root.pushing(FilePath(page)))) {
                count += 1
                guard let command = commands.last(where: { shown.words.starts(with: $0.words) }) else {
                    Issue.record("no such command: '\(shown.line)' in \(page)")
                    continue
                }
                for option in shown.options where !command.options.contains(option) {
                    Issue.record(
                        "'\(command.words.joined(separator: " "))' has no \(option): '\(shown.line)' in \(page)")
                }
            }
        }
        #expect(count > 300, "the pages still show commands as this test reads them")
    }

    private func pages() throws -> [String] {
        try ["README.md", "CONTRIBUTING.md", "SECURITY.md", "plugins/README.md"]
            + FileSystem.names(in: Repository.root.appending("docs")).map { "docs/\($0)" }.filter {
                $0 != "docs/commands.md"
            }
    }
}

/// A command as docs/commands.md describes it, which is made from the program.
private struct DescribedCommand {
    var words: [String]
    var options: Set<String>

    /// Longer names later, so that `config check` is found and not `config`.
    static func all() throws -> [DescribedCommand] {
        let reference = try read(Repository.root.appending("docs/commands.md"))
        let described = reference.split(separator: "\n### muster ").dropFirst().map { section in
            let words = section.prefix { $0 != "\n" }.split(separator: " ").map(String.init)
            let rows = section.matches(of: /\n\| `(-[^`]*)` \|/).flatMap {
                $0.output.1.matches(of: /--?[a-z][a-z-]*/).map { String($0.output) }
            }
            return DescribedCommand(words: words, options: Set(rows + ["--help", "-h", "--version"]))
        }
        let others = [["help"], ["documents"], []].map {
            DescribedCommand(words: $0, options: ["--help", "--version"])
        }
        return (described + others).sorted { $0.words.count < $1.words.count }
    }
}

/// What a page shows of a call: in a line of code, or within a sentence.
private struct ShownCommand {
    var line: String
    /// Without options, up to `--`, a comment or what a shell does with the output.
    var words: [String] = []
    var options: [String] = []

    init(_ line: Substring) {
        self.line = String(line)
        for word in line.split(separator: " ").prefix(while: {
            !["--", "|", "#", "&&", "||", ">", "2>&1"].contains($0)
        }) {
            let word = word.prefix { !";,)\"']".contains($0) }
            if word.hasPrefix("--") {
                options.append(String(word.prefix { $0 != "=" }))
            } else if word.wholeMatch(of: /-[a-z]+/) != nil {
                options.append(String(word.prefix(2)))
            } else {
                words.append(String(word))
            }
        }
    }

    static func all(in page: String) -> [ShownCommand] {
        var isFenced = false
        return page.split(separator: "\n").flatMap { line -> [ShownCommand] in
            if line.hasPrefix("```") { isFenced.toggle() }
            let isCode = isFenced || line.hasPrefix("    ") && line.contains(#/^ +(sudo )?muster /#)
            let pieces = isCode ? [line] : line.matches(of: /`([^`]+)`/).map { $0.output.1 }
            return pieces.flatMap {
                $0.matches(of: /(?:^|[ \/(])muster ([a-z-][^`]*)/).map { ShownCommand($0.output.1) }
            }
        }
    }
}
