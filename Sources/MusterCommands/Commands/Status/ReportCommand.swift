import ArgumentParser
import DumpCore
import Jobs
import Linux
import Monitoring
import SystemPackage

struct ReportCommand: MusterCommand {
    static let manual = CommandManual(
        "report", "Write a page about a job, or about all jobs: one HTML file to look at, to mail or to print.",
        story: """
            The page shows the verdict first, then runs, sizes, durations, repositories, archives and failures over time. It is one file: it asks no server \
            for anything and runs no script. Its numbers come from what runs, archives and drills have left on record on this host.

            With report: in the job file, each run writes the page again when it ends.
            """,
        examples: [
            "muster report nightly --html nightly.html":
                "Write the page of one job to a file, as a whole or not at all.",
            "muster report --all --html /var/www/muster/index.html": "Write one page about all jobs of /etc/muster.",
            "muster report nightly > nightly.html": "Write it to standard output.",
        ])

    @Argument(help: jobHelp, completion: .jobs) var positionalJob: String?
    @OptionGroup var jobOptions: JobOptions
    @Option(
        help: ArgumentHelp(
            "The file to write or to replace, mode 0644. Not set, or -: standard output.", valueName: "file"),
        completion: .file(extensions: ["html"])) var html: String?
    @Flag(help: "All jobs of /etc/muster on one page, even if there is only one.") var all = false
    @OptionGroup var state: StateOption

    func validate() throws {
        try jobOptions.requireNoJob(positionalJob, beside: all)
    }

    func run() async throws {
        let page = try await page()
        guard let html, html != "-" else { return Console.shared.result(String(page.html.dropLast())) }
        try await ReportFile(JobOptions.absolute(html)).write(page.html)
    }

    private func page() async throws -> ReportPage {
        guard let jobs = try jobOptions.severalJobs(positionalJob, all: all) else {
            return ReportPage(of: try await ReportMaterial(of: jobOptions.read(positionalJob), state: state.root))
        }
        var entries: [ReportPage.Entry] = []
        for job in jobs { entries.append(await ReportPage.Entry(job, state: state.root)) }
        return ReportPage(entries, isOverview: true, host: hostName(), tool: toolRecord)
    }
}

extension ReportPage {
    /// About one job, under the host's name as its archives have it.
    init(of material: ReportMaterial) {
        self.init([.job(material)], host: material.records.job.hostName, tool: toolRecord)
    }
}

extension ReportPage.Entry {
    init(_ job: String, state: FilePath) async {
        do {
            self = .job(try await ReportMaterial(of: Job(named: job), state: state))
        } catch {
            self = .unreadable(job: job, Finding(error, aboutJob: job))
        }
    }
}
