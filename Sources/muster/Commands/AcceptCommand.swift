import ArgumentParser
import DumpCore
import Pipeline

struct AcceptCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "accept", abstract: "Vouch for what Muster refuses because it looks wrong.",
        discussion: """
            Each message that asks for this names the option. Nothing in a repository is changed, and nothing is deleted.

            \(ExitStatus.help(.archiveFailed, .locked))
            """)

    @Argument(help: "The job, as with --job.") var positionalJob: String?
    @Flag(help: "The staging directory is that of another job: this job is that one under a new name.") var staging =
        false
    @Flag(help: "The repository has another location now; archives at the former one stay there.") var location = false
    @Flag(help: "Archives that were not made from this staging directory are this job's, and may be pruned.")
    var archives = false
    @Flag(help: "The clock is right, although it jumped or archives are dated ahead.") var clock = false
    @OptionGroup var repositories: RepositoryOptions
    @OptionGroup var jobOptions: JobOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        guard doubts.isEmpty else { return }
        throw ValidationError("Accept what? Give --staging, --location, --archives or --clock.")
    }

    func run() async throws {
        let log = output.logger()
        var job = try jobOptions.load(positionalJob, log: log)
        if !job.repositories.isEmpty { try repositories.choose(in: &job) }
        let accepted = await Run(job, tool: toolRecord, log: log).accept(doubts)
        if output.json {
            Console.shared.result(try json(accepted.lines))
        } else if !output.quiet, accepted.failure == nil || !accepted.lines.isEmpty {
            Console.shared.result(accepted.lines.isEmpty ? "nothing to accept" : accepted.lines.asLines)
        }
        try accepted.failure?.asCommandFailure()
    }

    private var doubts: Set<Run.Doubt> {
        let given: [(Run.Doubt, Bool)] = [
            (.staging, staging), (.location, location), (.archives, archives), (.clock, clock),
        ]
        return Set(given.filter(\.1).map(\.0))
    }
}
