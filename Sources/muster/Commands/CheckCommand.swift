import ArgumentParser
import Pipeline

struct CheckCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check", abstract: "Look whether a run could work: every finding, nothing changed.",
        discussion: ExitStatus.help(.dumpFailed, .archiveFailed))

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
            let lines = examination.parts.flatMap { $0.lines(quiet: output.quiet) }
            if !lines.isEmpty { Console.shared.result(lines.joined(separator: "\n")) }
        }
        if !examination.passed {
            throw ExitCode((examination.dumpsPassed ? ExitStatus.archiveFailed : .dumpFailed).rawValue)
        }
    }
}
