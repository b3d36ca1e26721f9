import ArgumentParser
import Borg
import DumpCore
import Jobs
import Logging
import Pipeline

struct BorgCommand: MusterCommand {
    static let manual = CommandManual(
        "borg", "Run any command of Borg on a repository of the job.",
        story: """
            Borg takes Muster's place, with the job's borg, repository (BORG_REPO), passphrase and ssh settings. Input, output, terminal and \
            exit status are Borg's own. Muster does not check what you tell Borg and does not hold its lock: this is also how you \
            delete an archive by hand.

            An archive is called ::ARCHIVE in Borg 1, and ARCHIVE in Borg 2.
            """,
        examples: [
            "muster borg -- list": "List all archives of the job's only repository.",
            "muster borg offsite -- check --verify-data": "Let Borg check one repository.",
            "muster borg offsite -- extract --stdout ::ARCHIVE app/globals.sql": "Print one file of an archive.",
        ], statuses: .of(.archiveFailed, note: "That of Borg itself. If Borg was not started:"))

    @Argument(
        help: ArgumentHelp(
            "The repository's name in the job; not needed when it is the only one.", valueName: "repository"),
        completion: .repositories)
    var repository: String?
    @Argument(
        parsing: .postTerminator, help: ArgumentHelp("Arguments for Borg, after --.", valueName: "argument"))
    var arguments: [String] = []
    @OptionGroup var jobOptions: JobOptions

    func run() async throws {
        let job = try jobOptions.load(log: Logger(label: "muster", factory: { _ in ConsoleLog(logLevel: .warning) }))
        let borg = try await reading { try await job.open(try chosen(in: job)) }
        do {
            try borg.passThrough(arguments)
        } catch {
            throw CommandFailure(status: .archiveFailed, error: error)
        }
    }

    private func chosen(in job: ReadyJob) throws -> Job.Repository {
        var only = job
        try only.keepRepositories(repository.map { [$0] } ?? [])
        guard let first = only.repositories.first, only.repositories.count == 1 else {
            throw ValidationError(
                "which repository? The job '\(job.name)' has several",
                hint: "Name one of \(job.repositories.map(\.name).joined(separator: ", ")).")
        }
        return first
    }
}
