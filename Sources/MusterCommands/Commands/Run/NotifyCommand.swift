import ArgumentParser
import DumpCore
import Jobs
import Notices
import Processes
import Reporting

struct NotifyCommand: MusterCommand {
    static let manual = CommandManual(
        "notify", "Send a test notice to the receivers of a job, and show which of them were reached.",
        story: """
            Each receiver below notify: gets one notice with the event 'test', whichever events it gets otherwise. A check of healthchecks.io \
            logs it and keeps its state. No incident is opened or ended.
            """,
        examples: [
            "muster notify nightly": "Try every receiver.",
            "muster notify nightly --receiver phone": "Try one of them.",
        ], statuses: .of())

    @Argument(help: jobHelp, completion: .jobs) var positionalJob: String?
    @Option(
        help: ArgumentHelp("Only this receiver of the job; may be repeated.", valueName: "name"), completion: .receivers
    )
    var receiver: [String] = []
    @OptionGroup var jobOptions: JobOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let log = output.logger()
        let job = try jobOptions.load(positionalJob, log: log)
        try requireKnown(job.job)
        guard let runner = job.runner else { return }
        let told = await Notices(of: job.job, by: runner, log: log).test(notice(job.job), names: receiver)
        if output.json {
            Console.shared.result(try json(told, as: "receivers"))
        } else if !output.quiet {
            Console.shared.result(told.map { "\($0.receiver): \($0.reached ? "reached" : "not reached")" }.asLines)
        }
        // Why is said by a warning for each.
        if told.contains(where: { !$0.reached }) { throw ExitCode(ExitStatus.failed.rawValue) }
    }

    private func requireKnown(_ job: Job) throws {
        guard !job.receivers.isEmpty else {
            throw CommandFailure(
                status: .configuration,
                error: SetupError("the job '\(job.name)' has no receiver", hint: "Add one under 'notify:'."))
        }
        let known = job.receivers.map(\.name)
        for name in receiver where !known.contains(name) {
            throw ValidationError(
                "the job '\(job.name)' has no receiver '\(name)'",
                hint: "\(suggestion(for: name, among: known))It has: \(known.joined(separator: ", ")).")
        }
    }

    private func notice(_ job: Job) -> Notice {
        Notice(
            .test, about: .run, of: job, command: "notify", runID: RunID(start: .now), subject: "a test notice",
            text: "This is a test by muster notify. Nothing is wrong.")
    }
}
