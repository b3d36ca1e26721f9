/// `docs/commands.md`.
enum CommandReference {
    static var markdown: String {
        ([opening]
            + CommandPage.groups.map { group in
                (["## \(group.title)"] + group.pages.map(\.markdown)).joined(separator: "\n\n")
            }).joined(separator: "\n\n")
    }

    private static var opening: String {
        """
        # Commands

        <!-- Made by make documents from the program's own help. Do not edit. -->

        \(table)

        Every command also knows `--help` and `--version`. Commands that name a `<job>` take it from `/etc/muster` (or the directory in \
        `MUSTER_CONFIG_DIRECTORY`); without one they take the only job there is.
        """
    }

    private static var table: String {
        (["| | command | what it does |", "| --- | --- | --- |"]
            + CommandPage.groups.flatMap { group in
                group.pages.enumerated().map { place, page in
                    let link = "muster-\(page.path.replacing(" ", with: "-"))"
                    return "| \(place == 0 ? group.title : "") | [\(page.path)](#\(link)) | \(page.manual.summary) |"
                }
            }).joined(separator: "\n")
    }
}

extension CommandPage {
    fileprivate var markdown: String {
        [
            "### muster \(path)", manual.summary, fenced([usage]), manual.story, table(positionals + options), examples,
            exitStatuses,
        ].filter { !$0.isEmpty }.joined(separator: "\n\n")
    }

    private func fenced(_ lines: [String]) -> String { (["```"] + lines + ["```"]).joined(separator: "\n") }

    private func table(_ arguments: [ParsedArgument]) -> String {
        guard !arguments.isEmpty else { return "" }
        let rows = arguments.map { "| `\($0.synopsis)` | \($0.help.markdownCell) |" }
        return (["| argument | |", "| --- | --- |"] + rows).joined(separator: "\n")
    }

    private var examples: String {
        (["Examples:", ""] + manual.examples.map { "- `\($0.command)`: \($0.purpose)" }).joined(separator: "\n")
    }

    private var exitStatuses: String {
        let rows = manual.statuses.rows.map { "| \($0.statuses) | \($0.meaning) |" }
        return
            ([
                "Exit status\(manual.statuses.note.map { ": \($0.prefix(1).lowercased())\($0.dropFirst())" } ?? ":")",
                "",
            ]
            + ["| status | |", "| --- | --- |"] + rows).joined(separator: "\n")
    }
}

extension String {
    /// On one line, and without what ends a cell or begins a tag.
    var markdownCell: String {
        replacing("\n", with: " ").replacing("|", with: "\\|").replacing("<", with: "&lt;")
    }
}
