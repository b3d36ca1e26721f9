import ArgumentParser
import Documents
import DumpCore
import Glibc
import Jobs
import Linux
import Notices
import Processes
import Reporting
import Staging
import SystemPackage

struct FailedCommand: MusterCommand {
    static let manual = CommandManual(
        "failed", "Report that a unit of the job failed: run hooks: on_failure, and notify its receivers.",
        story: """
            muster-failure@.service calls this when a run failed, or could not begin. It does not repeat what the run has done: hooks \
            that it ran, and receivers that it reached. The program of on_failure gets MUSTER_JOB, MUSTER_UNIT, MUSTER_RESULT (systemd's \
            word, such as exit-code or timeout), MUSTER_EXIT_STATUS, and MUSTER_REPORT, the newest run report. If the job file itself is \
            wrong, Muster can notify no receiver: this unit fails too.

            By hand, it runs the hook and notifies no receiver: muster notify does that.
            """,
        examples: [
            "muster failed nightly": "Try the hook.",
            "muster failed nightly --quiet": "Say nothing if the job has none.",
        ], statuses: .of())

    @Argument(help: jobHelp, completion: .jobs) var positionalJob: String?
    @OptionGroup var jobOptions: JobOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let log = output.logger()
        let job = try jobOptions.read(positionalJob)
        let hooks = job.hooks.flatMap { $0.onFailure.isEmpty ? nil : $0 }
        guard hooks != nil || !job.receivers.isEmpty else {
            if !output.quiet {
                Console.shared.result("The job '\(job.name)' has no hooks: on_failure, and no receiver.")
            }
            return
        }
        let runner = ProgramRunner(keeper: try Keeper.installed(), log: log)
        let unit = FailedUnit(report: await newestReport(of: job))
        if unit.isFromSystemd { await unit.tell(Notices(of: job, by: runner, log: log), of: job) }
        guard let hooks, !unit.hasRunHooks else { return }
        let outcome = await Hooks(hooks, by: runner).run(.onFailure, unit.environment(of: job))
        if let error = outcome.failure { throw CommandFailure(status: .failed, error: error) }
    }

    private func newestReport(of job: Job) async -> RunReport? {
        let newest = try? await StagingArea.openExisting(job.staging)?.reports().first
        return newest.flatMap { try? SnakeCaseJSON.decode(RunReport.self, from: $0.bytes) }
    }
}

/// What systemd says of a unit that failed, and what its run has said, if there was one.
private struct FailedUnit {
    /// The newest of the job.
    var report: RunReport?

    /// As systemd hands them to a unit of OnFailure=, since 251.
    private static let monitored = [
        "MUSTER_UNIT": "MONITOR_UNIT", "MUSTER_RESULT": "MONITOR_SERVICE_RESULT",
        "MUSTER_EXIT_STATUS": "MONITOR_EXIT_STATUS",
    ]

    private func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }

    var isFromSystemd: Bool { variable("MONITOR_UNIT") != nil }

    /// Whether the report is that of this start of the unit, and tells how it ended.
    private var hasReported: Bool {
        guard let report, let id = report.invocationID else { return false }
        return id == variable("MONITOR_INVOCATION_ID") && report.outcome == .failed
    }

    /// One that failed within the run's unit, which may do less, is run again here.
    var hasRunHooks: Bool {
        let ran = report?.hooks?.filter { $0.hook == Job.Hooks.Place.onFailure.rawValue } ?? []
        return hasReported && !ran.isEmpty && ran.allSatisfy { $0.error == nil }
    }

    func environment(of job: Job) -> [String: String] {
        var variables = ["MUSTER_JOB": job.name]
        for (name, source) in Self.monitored { variables[name] = variable(source) }
        variables["MUSTER_REPORT"] = file(of: job)?.string
        return variables
    }

    private func file(of job: Job) -> FilePath? {
        report.map { job.staging.appending("runs").appending("\($0.runID).json") }
    }

    /// A unit that is not Muster's ends no incident: each of its failures sends a notice.
    func tell(_ notices: Notices, of job: Job) async {
        let unit = variable("MONITOR_UNIT") ?? ""
        switch unit {
        case _ where unit.hasPrefix("muster@") || unit.hasPrefix("muster-dump@"):
            let command = unit.hasPrefix("muster@") ? "run" : "dump"
            let notice = notice(unit, .run, command, of: job)
            await notices.tell(
                hasReported ? nil : notice, [IncidentChange(.opened, "run", notice, endedBy: ["run", command])])
        case _ where unit.hasPrefix("muster-drill@"):
            // A drill that failed has said so itself; one that was killed has not.
            guard !(await notices.isOpen("drill")) else { return }
            let notice = notice(unit, .drill, "drill", of: job)
            await notices.tell(notice, [IncidentChange(.opened, "drill", notice)])
        default: await notices.tellOnce(notice(unit, .run, "failed", of: job))
        }
    }

    private func notice(_ unit: String, _ topic: NoticeTopic, _ command: String, of job: Job) -> Notice {
        let isAboutRun = hasReported && topic == .run
        let result = variable("MONITOR_SERVICE_RESULT") ?? "failed"
        let error = isAboutRun ? report?.error : nil
        var notice = Notice(
            .failure, about: topic, of: job, command: command,
            runID: isAboutRun ? report?.runID ?? RunID(start: .now) : RunID(start: .now),
            subject: error.map { "\(command) failed: \($0.message)" } ?? "\(unit) failed: \(result)",
            text: "systemd says of \(unit): \(result). See: journalctl -u \(unit)")
        (notice.outcome, notice.error, notice.endedAt) = (RunReport.Outcome.failed.rawValue, error, .now)
        notice.report = isAboutRun ? file(of: job) : nil
        return notice
    }
}
