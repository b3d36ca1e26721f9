import ArgumentParser

/// One page for man(1), in the macros of man(7).
struct ManualPage {
    var file: String
    var text: String

    static var all: [ManualPage] {
        [overview] + CommandPage.groups.flatMap(\.pages).map { ManualPage($0) } + [JobReference().manualPage]
    }

    private static var overview: ManualPage {
        let configuration = Muster.configuration
        let groups = CommandPage.groups.flatMap { group in
            [Roff.subsection(group.title)]
                + group.pages.map { Roff.item("muster \($0.path)", $0.manual.summary) }
        }
        return ManualPage(
            file: "muster.1",
            text: Roff.page(
                "MUSTER", 1, name: "muster", summary: configuration.abstract,
                [
                    Roff.section("SYNOPSIS", [Roff.bold(configuration.usage ?? "")]),
                    Roff.section("DESCRIPTION", Roff.paragraphs(configuration.discussion)),
                    Roff.section("COMMANDS", groups),
                    Roff.section("FILES", files), Roff.section("ENVIRONMENT", environment),
                    Roff.section("SEE ALSO", ["muster.yaml(5), borg(1), pg_dump(1)"].map(Roff.text)),
                ]))
    }

    private static let files = [
        Roff.item("/etc/muster/JOB.yaml", "One job, see muster.yaml(5)."),
        Roff.item("STAGING/current", "The published set, with manifest.json and checksums."),
        Roff.item("STAGING/runs", "A report of each run, as JSON."),
    ]

    private static let environment = [
        Roff.item("MUSTER_CONFIG_DIRECTORY", "Where jobs are looked for by name, in place of /etc/muster."),
        Roff.item("MUSTER_TRUST", "Paths, separated by colons, that may belong to other users."),
    ]

    init(file: String, text: String) { (self.file, self.text) = (file, text) }

    private init(_ page: CommandPage) {
        let name = "muster-" + page.path.replacing(" ", with: "-")
        file = "\(name).1"
        text = Roff.page(
            name.uppercased(), 1, name: name, summary: page.manual.summary,
            [
                Roff.section("SYNOPSIS", [Roff.bold(page.usage)]),
                page.manual.story.isEmpty ? "" : Roff.section("DESCRIPTION", Roff.paragraphs(page.manual.story)),
                Roff.section(
                    "OPTIONS",
                    (page.positionals + page.options).map { Roff.item($0.synopsis, $0.help) }
                        + [Roff.item("--version", "Print the version."), Roff.item("-h, --help", "Print the help.")]),
                Roff.section("EXAMPLES", page.manual.examples.map { Roff.item($0.command, $0.purpose) }),
                Roff.section(
                    "EXIT STATUS",
                    (page.manual.statuses.note.map { [Roff.text($0)] } ?? [])
                        + page.manual.statuses.rows.map { Roff.item($0.statuses, $0.meaning) }),
                Roff.section("SEE ALSO", [Roff.text("muster(1), muster.yaml(5)")]),
            ])
    }
}
