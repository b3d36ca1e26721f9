import ArgumentParser
import Pipeline
import Reporting

struct CheckCommand: MusterCommand {
    static let manual = CommandManual(
        "check", "Check that a run would succeed: every finding, then a verdict.",
        story: """
            Muster connects to every source and reads it, opens each repository with Borg, and writes one file to the staging directory and \
            removes it. It changes nothing else. The last line is the verdict: JOB: READY, or JOB: NOT READY and what stands in the way.
            """,
        examples: [
            "muster check nightly": "Print every finding and the verdict.",
            "muster check nightly --quiet": "Print warnings and failures only.",
            "muster check nightly --json": "Print the same for a script.",
        ], statuses: .of(.dumpFailed, .archiveFailed, .locked))

    @Argument(help: jobHelp, completion: .jobs) var positionalJob: String?
    @OptionGroup var jobOptions: JobOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let log = output.logger()
        let job = try jobOptions.loadToDump(positionalJob, log: log)
        let examination = await Examination(of: job, log: log)
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
