import ArgumentParser
import DumpCore
import Pipeline

struct ArchiveCommand: MusterCommand {
    static let manual = CommandManual(
        "archive", "Archive the published set: the second half of a run.",
        examples: [
            "muster archive nightly": "Archive the current set in every repository of the job.",
            "muster archive nightly -r offsite": "Archive it in one repository, as after Borg failed there.",
        ], statuses: .of(.archiveFailed, .verificationFailed, .locked))

    @Argument(help: jobHelp, completion: .jobs) var positionalJob: String?
    @OptionGroup var repositories: RepositoryOptions
    @OptionGroup var jobOptions: JobOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var progress: ProgressOptions

    func run() async throws {
        let log = output.logger(telling: true)
        progress.begin(output, log: log)
        var job = try jobOptions.load(positionalJob, log: log)
        guard !job.repositories.isEmpty else {
            throw CommandFailure(
                status: .configuration,
                error: DumpError(
                    .settings, "the job '\(job.name)' has no repository to archive to",
                    hint: "Add one under 'repositories:'."))
        }
        try repositories.choose(in: &job)
        let ended = await Run(showing: job, log: log).perform(.archive)
        await job.job.writePage(log: log)
        try ended.tell(output)
    }
}
