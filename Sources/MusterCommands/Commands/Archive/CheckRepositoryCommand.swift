import ArgumentParser
import Borg
import DumpCore
import Pipeline
import Settings

struct CheckRepositoryCommand: MusterCommand {
    static let manual = CommandManual(
        "check-repository", "Let Borg check a repository and all archives in it.",
        story: """
            A run does so when 'check:' makes it due, and counts a check by hand as one of its own. Borg repairs nothing. The receivers \
            below notify: get the result.
            """,
        examples: [
            "muster check-repository nightly -r offsite": "Check segments and archives.",
            "muster check-repository nightly --verify-data": "Read and decrypt all data too, which takes long.",
            "muster check-repository nightly --max-duration 30m":
                "Check segments for half an hour, and go on there next time.",
        ], statuses: .of(.archiveFailed, .locked))

    @Argument(help: jobHelp, completion: .jobs) var positionalJob: String?
    @Flag(help: "Read, decrypt and verify all data too.") var verifyData = false
    @Option(
        help: ArgumentHelp(
            "Check segments only, for at most this long, from where the last such check stopped.", valueName: "duration"
        ),
        transform: Self.duration)
    var maxDuration: Duration?
    @OptionGroup var repositories: RepositoryOptions
    @OptionGroup var jobOptions: JobOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if verifyData && maxDuration != nil {
            throw ValidationError(
                "Borg has no time limit for --verify-data", hint: "Leave out --verify-data or --max-duration.")
        }
    }

    func run() async throws {
        let log = output.logger()
        var job = try jobOptions.load(positionalJob, log: log)
        try repositories.choose(in: &job)
        let check = maxDuration.map { RepositoryCheck.part(atMost: $0) } ?? (verifyData ? .data : .full)
        let notices = CommandNotices(of: job, about: .check, command: "check-repository", log: log)
        let upkeep = Upkeep(of: job, log: log)
        let checked = try await notices.telling({ await upkeep.check(check) }, verdict: { .init($0) })
        await job.job.writeMetrics(log: log)
        try checked.tell(output) { kept in
            kept.checked.map { "repository \(kept.repository): \($0.text), no damage found" }
        }
    }

    private static func duration(_ text: String) throws -> Duration {
        let duration = try durationArgument(text)
        guard duration >= .seconds(1) else {
            throw ValidationError("a check takes at least a second", hint: "Write a duration such as 30m or 1h.")
        }
        return duration
    }
}
