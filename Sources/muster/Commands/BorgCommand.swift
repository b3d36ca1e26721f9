import ArgumentParser
import Borg
import DumpCore
import Logging
import Pipeline

struct BorgCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "borg", abstract: "Run any command of Borg's on a repository of the job.",
        discussion: """
            Borg takes Muster's place, with the job's borg, repository (BORG_REPO), passphrase and way to the server. Input, output, \
            terminal and exit status are Borg's own. What Borg is told is not checked by Muster, and Muster's lock is not held: this is \
            also how an archive is deleted by hand.

            An archive is called ::ARCHIVE in Borg 1, and ARCHIVE in Borg 2.

            EXAMPLES:
              muster borg -- list
              muster borg offsite -- check --verify-data
              muster borg offsite -- extract --stdout ::ARCHIVE app/globals.sql
            """)

    @Argument(
        help: ArgumentHelp(
            "The repository's name in the job; may be left out when it is the only one.", valueName: "repository"))
    var repository: String?
    @Argument(
        parsing: .postTerminator, help: ArgumentHelp("Arguments for Borg, after --.", valueName: "argument"))
    var arguments: [String] = []
    @OptionGroup var jobOptions: JobOptions

    func run() async throws {
        let job = try jobOptions.load(log: Logger(label: "muster", factory: { _ in ConsoleLog(logLevel: .warning) }))
        let borg = try await reading { try await chosen(in: job).open() }
        do {
            try borg.passThrough(arguments)
        } catch {
            throw CommandFailure(status: .archiveFailed, error: error)
        }
    }

    private func chosen(in job: Job) throws -> Job.Repository {
        var only = job
        try only.keepRepositories(repository.map { [$0] } ?? [])
        guard let first = only.repositories.first, only.repositories.count == 1 else {
            throw ValidationError(
                "Which repository? The job '\(job.name)' has \(job.repositories.map(\.name).joined(separator: ", ")).")
        }
        return first
    }
}
