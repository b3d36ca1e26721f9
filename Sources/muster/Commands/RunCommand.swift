import ArgumentParser
import Pipeline

struct RunCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "run", abstract: "Dump, seal, publish, and archive.",
        discussion: ExitStatus.help(.dumpFailed, .archiveFailed, .verificationFailed, .locked))

    @Argument(help: "The job, as with --job.") var positionalJob: String?
    @OptionGroup var jobOptions: JobOptions
    @Flag(help: sizesHelp) var acceptSizes = false
    @OptionGroup var output: OutputOptions
    @OptionGroup var progress: ProgressOptions

    func run() async throws {
        let log = output.logger()
        progress.begin(output, log: log)
        let job = try jobOptions.load(positionalJob, log: log)
        try await Run(job, tool: toolRecord, display: ProgressFeed.shared, acceptsSizes: acceptSizes, log: log)
            .perform(.run).tell(output)
    }
}
