import ArgumentParser
import DumpCore
import Glibc
import Jobs
import Linux
import Processes
import Settings
import Staging
import SystemPackage

struct FailedCommand: MusterCommand {
    static let manual = CommandManual(
        "failed", "Tell that a unit of the job failed: run what the job has under hooks: on_failure.",
        story: """
            muster-failure@.service calls this when a run failed, or could not begin. The program gets MUSTER_JOB, MUSTER_UNIT, \
            MUSTER_RESULT (systemd's word, such as exit-code or timeout), MUSTER_EXIT_STATUS, and MUSTER_REPORT, the newest run report. If the job file itself is wrong, \
            Muster cannot tell anyone: the unit fails too.
            """,
        examples: [
            "muster failed nightly": "Try the hook.",
            "muster failed nightly --quiet": "Say nothing if the job has none.",
        ], statuses: .of())

    @Argument(help: jobHelp, completion: .jobs) var positionalJob: String?
    @OptionGroup var jobOptions: JobOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let job = try jobOptions.read(positionalJob)
        guard let hooks = job.hooks else {
            if !output.quiet { Console.shared.result("The job '\(job.name)' has no hooks: on_failure.") }
            return
        }
        let runner = ProgramRunner(keeper: try Keeper.installed(), log: output.logger())
        var program = try Program(Executables.find(hooks.onFailure[0]), Array(hooks.onFailure.dropFirst()))
        program.environment = await environment(of: job)
        let ended = try await withDeadline(hooks.deadline) { [program] in try await runner.run(program) }
        guard let outcome = ended else { throw failure("took longer than \(hooks.deadline.settingsText)") }
        guard outcome.succeeded else { throw failure("\(outcome.status): \(outcome.lastErrors)") }
    }

    private func failure(_ what: String) -> CommandFailure {
        CommandFailure(status: .failed, error: SetupError("the program of hooks: on_failure \(what)"))
    }

    private func environment(of job: Job) async -> [String: String] {
        var variables = ["MUSTER_JOB": job.name]
        // As systemd hands them to a unit of OnFailure=, since 251.
        let monitored = [
            "MUSTER_UNIT": "MONITOR_UNIT", "MUSTER_RESULT": "MONITOR_SERVICE_RESULT",
            "MUSTER_EXIT_STATUS": "MONITOR_EXIT_STATUS",
        ]
        for (name, source) in monitored { variables[name] = getenv(source).map { String(cString: $0) } }
        variables["MUSTER_REPORT"] = await newestReport(of: job)?.string
        return variables
    }

    private func newestReport(of job: Job) async -> FilePath? {
        let reports = try? await StagingArea.openExisting(job.staging)?.reports()
        return reports?.first.map { job.staging.appending("runs").appending("\($0.run).json") }
    }
}
