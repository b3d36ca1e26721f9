import ArgumentParser
import Borg
import DumpCore
import Pipeline
import Settings

struct CheckRepositoryCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "check-repository", abstract: "Have Borg check a repository, all archives in it included.",
        discussion: """
            Runs do so when it is due by 'check:', and take a check by hand for one of theirs. Nothing is repaired.

            \(ExitStatus.help(.archiveFailed, .locked))
            """)

    @Argument(help: "The job, as with --job.") var positionalJob: String?
    @Flag(help: "Read, decrypt and verify all data too.") var verifyData = false
    @Option(
        help: ArgumentHelp(
            "Check segments alone, for so long at most, from where the last such check stopped.", valueName: "duration"),
        transform: Self.duration)
    var maxDuration: Duration?
    @OptionGroup var repositories: RepositoryOptions
    @OptionGroup var jobOptions: JobOptions
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if verifyData && maxDuration != nil {
            throw ValidationError("Borg has no time limit for --verify-data: leave out one of the two.")
        }
    }

    func run() async throws {
        let log = output.logger()
        var job = try jobOptions.load(positionalJob, log: log)
        try repositories.choose(in: &job)
        let check = maxDuration.map { RepositoryCheck.part(atMost: $0) } ?? (verifyData ? .data : .full)
        try await Run(job, tool: toolRecord, log: log).check(check).tell(output) { kept in
            kept.checked.map { "repository \(kept.repository): \($0.text), no damage found" }
        }
    }

    private static func duration(_ text: String) throws -> Duration {
        let duration = try durationArgument(text)
        guard duration >= .seconds(1) else {
            throw ValidationError("A check takes a second at least, such as 30m or 1h.")
        }
        return duration
    }
}
