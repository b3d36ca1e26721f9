import ArgumentParser
import Pipeline

struct RunCommand: MusterCommand {
    static let manual = CommandManual(
        "run", "Take every dump, publish the set, and archive it in every repository.",
        story: """
            If one dump fails, nothing is published and no archive is made. If only Borg fails, the set is intact, and muster archive \
            finishes the job.
            """,
        examples: [
            "muster run nightly": "Run the job of /etc/muster/nightly.yaml.",
            "muster run nightly --quiet": "Print nothing unless something is wrong, as a timer wants it.",
            "muster run --config ./trial.yaml -v": "Run a job file from another place, and print each step.",
        ], statuses: .of(.dumpFailed, .archiveFailed, .verificationFailed, .locked))

    @Argument(help: jobHelp, completion: .jobs) var positionalJob: String?
    @OptionGroup var jobOptions: JobOptions
    @Flag(help: sizesHelp) var acceptSizes = false
    @OptionGroup var output: OutputOptions
    @OptionGroup var progress: ProgressOptions

    func run() async throws {
        let log = output.logger(telling: true)
        progress.begin(output, log: log)
        let job = try jobOptions.loadToDump(positionalJob, log: log)
        let ended = await Run(showing: job, acceptsSizes: acceptSizes, log: log).perform(.run)
        await job.job.writePage(log: log)
        try ended.tell(output)
    }
}
