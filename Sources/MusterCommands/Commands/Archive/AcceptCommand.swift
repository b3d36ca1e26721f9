import ArgumentParser
import DumpCore
import Pipeline

struct AcceptCommand: MusterCommand {
    static let manual = CommandManual(
        "accept", "Vouch for what Muster refuses because it looks wrong.",
        story: """
            Each message that asks for this names the option. Nothing in a repository changes, and nothing is deleted.
            """,
        examples: [
            "muster accept nightly --location": "The repository has moved to the location in the job file.",
            "muster accept weekly --staging": "The job that was called nightly is now called weekly.",
            "muster accept nightly --clock": "The host's clock is right, although it jumped.",
        ], statuses: .of(.archiveFailed, .locked))

    @Argument(help: jobHelp, completion: .jobs) var positionalJob: String?
    @Flag(help: "The staging directory belongs to a job of another name: that job is now called like this one.")
    var staging =
        false
    @Flag(help: "The repository has moved; archives at its former location stay there.") var location = false
    @Flag(help: "Archives made from another staging directory belong to this job, and may be pruned.")
    var archives = false
    @Flag(help: "The clock is right, although it jumped or archives have dates in the future.") var clock = false
    @OptionGroup var repositories: RepositoryOptions
    @OptionGroup var jobOptions: JobOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard doubts.isEmpty else { return }
        throw ValidationError("accept what?", hint: "Add --staging, --location, --archives or --clock.")
    }

    func run() async throws {
        let log = output.logger()
        var job = try jobOptions.load(positionalJob, log: log)
        if !job.repositories.isEmpty { try repositories.choose(in: &job) }
        let accepted = await JobAcceptance(for: job).accept(doubts)
        if output.json {
            Console.shared.result(try json(accepted.lines, as: "accepted"))
        } else if !output.quiet, accepted.failure == nil || !accepted.lines.isEmpty {
            Console.shared.result(accepted.lines.isEmpty ? "nothing to accept" : accepted.lines.asLines)
        }
        try accepted.failure?.asCommandFailure()
    }

    private var doubts: Set<JobAcceptance.Doubt> {
        let given: [(JobAcceptance.Doubt, Bool)] = [
            (.staging, staging), (.location, location), (.archives, archives), (.clock, clock),
        ]
        return Set(given.filter(\.1).map(\.0))
    }
}
