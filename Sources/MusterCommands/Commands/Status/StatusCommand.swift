import ArgumentParser
import DumpCore
import Jobs
import Logging
import Monitoring
import Processes
import Reporting
import Restoring
import Staging
import SystemPackage

struct StatusCommand: MusterCommand {
    static let manual = CommandManual(
        "status", "Show how a job is doing, or all jobs: the verdict first, then what it rests on.",
        story: """
            OK, WARNING or FAILED, with the reasons. It asks no server and no repository: it reads what runs, archives and drills have left on record on this \
            host. The exit status is 0 whenever there is a verdict, whichever it is. With --nagios it is 0, 1, 2 or 3, as monitoring plugins have it.
            """,
        examples: [
            "muster status": "Show all jobs of /etc/muster in one table, or the only one in detail.",
            "muster status nightly": "Show the job in detail: verdict, dumps, repositories, drill, and the last runs.",
            "muster status --all --json": "Print the same for a monitoring program, of all jobs.",
            "muster status --all --metrics": "Print the metrics of all jobs, for a file that a timer of root writes.",
            "muster status --all --notify --quiet": "Notify the receivers of all jobs of what is stale, from a timer.",
            "muster status nightly --nagios": "Answer Nagios, Icinga or Checkmk, with performance data.",
        ])

    @Argument(help: jobHelp, completion: .jobs) var positionalJob: String?
    @OptionGroup var jobOptions: JobOptions
    @Flag(help: "All jobs of /etc/muster in one table, even if there is only one.") var all = false
    @Flag(help: "Print one line with performance data, and end with 0 (OK), 1 (WARNING), 2 (FAILED) or 3 (unknown).")
    var nagios = false
    @Flag(help: "Print metrics for Prometheus, in the text format that the node exporter reads from files.")
    var metrics = false
    @Flag(
        help:
            "Notify the job's receivers of what no run can report: missing runs, archives or drills, and a killed run. Each gets one notice when it begins and one when it is over."
    )
    var notify = false
    @OptionGroup var state: StateOption
    @OptionGroup var output: OutputOptions

    func validate() throws {
        try jobOptions.requireNoJob(positionalJob, beside: all)
        let forms = [("--nagios", nagios), ("--metrics", metrics), ("--json", output.json)].filter(\.1).map(\.0)
        if forms.count > 1 {
            throw ValidationError("\(forms[0]) and \(forms[1]) are two forms of the same", hint: "Leave one out.")
        }
    }

    func run() async throws {
        let log = output.logger()
        if notify { try await tellReceivers(log) }
        if nagios { return try await answerNagios() }
        if metrics { return try await printMetrics() }
        guard let jobs = try severalJobs() else { return try await showOne(try jobOptions.read(positionalJob)) }
        let known = await JobOverview(of: jobs, state: state.root)
        guard mustSay(known.verdict) else { return }
        Console.shared.result(output.json ? try json(known) : known.text(width: Console.shared.resultWidth))
    }

    /// A job whose file is wrong can notify no receiver: it is shown, and the other jobs are looked at all the same.
    private func tellReceivers(_ log: Logger) async throws {
        let runner = ProgramRunner(keeper: try Keeper.installed(), log: log)
        let jobs = try severalJobs().map { names in
            names.compactMap { try? Job(named: $0) }
        }
        for job in try jobs ?? [jobOptions.read(positionalJob)] {
            let health = JobHealth(try await JobRecords(of: job, state: state.root))
            await StaleNotices(job: job, health: health, log: log).tell(by: runner)
        }
    }

    private func showOne(_ job: Job) async throws {
        let records = try await JobRecords(of: job, state: state.root)
        let health = JobHealth(records)
        guard mustSay(health.verdict) else { return }
        Console.shared.result(
            output.json
                ? try json(JobStatusDocument(records, health))
                : JobStatusText(records, health, width: Console.shared.resultWidth).lines.asLines)
    }

    private func mustSay(_ verdict: Verdict) -> Bool { output.json || !output.quiet || verdict != .ok }

    private func severalJobs() throws -> [String]? { try jobOptions.severalJobs(positionalJob, all: all) }

    /// The metrics of a job whose file is wrong say that it failed.
    private func printMetrics() async throws {
        let all: [JobMetrics]
        if let jobs = try severalJobs() {
            all = await JobMetrics.current(of: jobs, state: state.root)
        } else {
            let job = try jobOptions.read(positionalJob)
            all = [await JobMetrics.current(of: job, state: state.root, tool: toolRecord)]
        }
        // The console ends the last line.
        Console.shared.result(String(JobMetrics.text(of: all).dropLast()), exactly: true)
    }

    /// Whatever stands in the way is `UNKNOWN`: a monitoring program has no other word for it.
    private func answerNagios() async throws {
        let answer: NagiosAnswer
        do {
            if let jobs = try severalJobs() {
                answer = NagiosAnswer(await JobOverview(of: jobs, state: state.root))
            } else {
                let job = try jobOptions.read(positionalJob)
                answer = NagiosAnswer(JobHealth(try await JobRecords(of: job, state: state.root)))
            }
        } catch {
            answer = NagiosAnswer(unknown: error)
        }
        Console.shared.result(answer.text)
        guard answer.status == 0 else { throw ExitCode(answer.status) }
    }
}
