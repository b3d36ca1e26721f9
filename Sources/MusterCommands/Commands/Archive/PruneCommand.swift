import ArgumentParser
import DumpCore
import Jobs
import Pipeline

struct PruneCommand: MusterCommand {
    static let manual = CommandManual(
        "prune", "Delete the archives of a job that 'keep:' does not keep, and compact.",
        story: """
            Every run does so after its archive. Muster never counts and never touches archives that are not of this job on this host. It \
            deletes nothing if that would leave no archive that Muster confirmed.
            """,
        examples: [
            "muster prune nightly --dry-run": "Show which archives go and which stay, and change nothing.",
            "muster prune nightly -r offsite": "Prune one repository.",
        ], statuses: .of(.archiveFailed, .locked))

    @Argument(help: jobHelp, completion: .jobs) var positionalJob: String?
    @Flag(help: "Only show what would go and what stays; change nothing.") var dryRun = false
    @OptionGroup var repositories: RepositoryOptions
    @OptionGroup var jobOptions: JobOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let log = output.logger()
        var job = try jobOptions.load(positionalJob, log: log)
        try repositories.choose(in: &job)
        try job.leaveOnlyPruned(named: repositories.names)
        let kept = await Upkeep(of: job, log: log).prune(rehearsal: dryRun)
        if !dryRun { await job.job.writeMetrics(log: log) }
        try kept.tell(output) { kept in
            kept.plan.map { $0.text(kept, rehearsal: dryRun) }
        }
    }
}

extension ReadyJob {
    /// Leaves only repositories that have `keep:`. Naming one without it is an error.
    fileprivate mutating func leaveOnlyPruned(named names: [String]) throws {
        let without = repositories.filter { $0.settings.keep == nil }.map(\.name)
        repositories.removeAll { $0.settings.keep == nil }
        guard repositories.isEmpty || (!names.isEmpty && !without.isEmpty) else { return }
        throw CommandFailure(
            status: .configuration,
            error: DumpError(
                .settings, "the job '\(job.name)' does not say what to keep in \(without.joined(separator: ", "))",
                hint: "Write it there, such as keep: {daily: 7, weekly: 4, monthly: 6}."))
    }
}
