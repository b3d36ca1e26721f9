import ArgumentParser
import Pipeline

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Check that a run would succeed: every finding, then a verdict.",
        discussion: """
            Sources are connected and read, Borg opens each repository, one file is written to the staging directory and removed. Nothing \
            else is changed. The last line is the verdict: JOB: READY, or JOB: NOT READY with what stands in the way.

            \(ExitStatus.help(.dumpFailed, .archiveFailed, .locked))
            """)

    @Argument(help: "The job, as with --job.") var positionalJob: String?
    @OptionGroup var jobOptions: JobOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let log = output.logger()
        let job = try jobOptions.load(positionalJob, log: log)
        let examination = await Run(job, tool: toolRecord, log: log).examine()
        if output.json {
            Console.shared.result(try json(examination))
        } else {
            let lines = examination.lines(quiet: output.quiet)
            if !lines.isEmpty { Console.shared.result(lines.asLines) }
        }
        if let obstacle = examination.obstacle { throw ExitCode(obstacle.status.rawValue) }
    }
}

extension Examination.Obstacle {
    /// What a run would end with.
    fileprivate var status: ExitStatus {
        switch self {
        case .dump: .dumpFailed
        case .archive: .archiveFailed
        case .lock: .locked
        case .configuration: .configuration
        }
    }
}
