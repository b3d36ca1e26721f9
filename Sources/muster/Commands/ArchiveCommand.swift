import ArgumentParser
import DumpCore
import Pipeline

struct ArchiveCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "archive", abstract: "Archive the published set, as the second half of a run.",
        discussion: ExitStatus.help(.archiveFailed, .verificationFailed, .locked))

    @Argument(help: "The job, as with --job.") var positionalJob: String?
    @OptionGroup var repositories: RepositoryOptions
    @OptionGroup var jobOptions: JobOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var progress: ProgressOptions

    func run() async throws {
        let log = output.logger()
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
        try await Run(job, tool: toolRecord, display: ProgressFeed.shared, log: log).perform(.archive).tell(output)
    }
}
