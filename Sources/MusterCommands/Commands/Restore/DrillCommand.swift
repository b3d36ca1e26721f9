import ArgumentParser
import Catalog
import DumpCore
import Jobs
import Linux
import Logging
import Restoring
import SystemPackage

struct DrillCommand: MusterCommand {
    static let manual = CommandManual(
        "drill", "Prove that an archive can be restored: restore it, compare, and throw the copy away.",
        story: """
            A drill takes the newest confirmed archive out of a repository, starts a PostgreSQL server of the same major version, restores \
            everything, compares it with the manifest, asks the questions below drill: in the job file, and removes the copy. With several \
            repositories, each drill takes the one whose last drill was longest ago.

            The server runs as a user of its own without a network. It cannot reach the live server or its files. The result is kept, and \
            muster list and muster status show it. A real restore takes about as long. The receivers below notify: get \
            the result, unless a set is named.
            """,
        examples: [
            "muster drill nightly": "Prove the newest archive of one repository.",
            "muster drill nightly -r offsite --sample 7": "Prove a seventh of it, and in seven drills all of it.",
            "muster drill nightly --archive web1-nightly-2026-11-23": "Prove an older archive.",
            "muster drill nightly --keep": "Leave the copy, to look at what went wrong.",
        ], statuses: .of(.restoreFailed))

    @Argument(help: jobHelp, completion: .jobs) var positionalJob: String?
    @Option(help: archiveHelp, completion: .archives) var archive: String?
    @Option(help: ArgumentHelp("A set on disk instead of an archive.", valueName: "dir")) var set: String?
    @Option(
        help: ArgumentHelp("Prove a part, so that this many drills prove all, whatever drill: says.", valueName: "n"))
    var sample: Int?
    @Flag(help: "Have pg_amcheck compare indexes with their tables, whatever drill: says.") var amcheck = false
    @Flag(help: "Leave the copy where it is, and say where. It holds production data.") var keep = false
    @OptionGroup var options: CatalogOptions
    @OptionGroup var restoreOptions: RestoreOptions
    @OptionGroup var output: OutputOptions
    @OptionGroup var progress: ProgressOptions

    func validate() throws {
        if let sample, !(1...366).contains(sample) {
            throw ValidationError(
                "--sample \(sample) is not from 1 to 366", hint: "Give the number of drills, such as 7.")
        }
        guard archive == nil || set == nil else {
            throw ValidationError("--archive and --set are two sources", hint: "Leave out one of them.")
        }
    }

    func run() async throws {
        let log = output.logger()
        progress.begin(output, log: log)
        let job = try options.job(positionalJob, log: log)
        guard set == nil else { return try tell(try await record(of: job, log)) }
        let notices = CommandNotices(of: job, about: .drill, command: "drill", log: log)
        try tell(try await notices.telling({ try await record(of: job, log) }, verdict: { .init($0) }))
    }

    private func record(of job: ReadyJob, _ log: Logger) async throws -> DrillRecord {
        try await restoring {
            let means = try await restoreOptions.means(plugins: job.job.pluginPath, log: log)
            let source = try await source(job, DrillStore(in: restoreOptions.root), log)
            let record = try await Drill(
                of: job.name, asking: questions(job), from: source, by: means, options: settings
            ).perform()
            await job.job.writeMetrics(log: log)
            await job.job.writePage(state: restoreOptions.root, log: log)
            return record
        }
    }

    private func source(_ job: ReadyJob, _ store: DrillStore, _ log: Logger) async throws -> RestoreSource {
        if let set { return try await RestoreSource(at: JobOptions.absolute(set)) }
        if let archive { return try await RestoreSource(ArchiveCatalog(of: job, log: log).set(archive)) }
        return try await RestoreSource(DrillRotation(of: job, after: store, log: log).next())
    }

    private func questions(_ job: ReadyJob) -> Job.Drill {
        var questions = job.job.drill ?? Job.Drill()
        if let sample { questions.drills = sample == 1 ? nil : sample }
        if amcheck { questions.isThorough = true }
        return questions
    }

    private var settings: Drill.Options {
        var settings = Drill.Options(tool: toolRecord)
        (settings.keepsCopy, settings.jobs) = (keep, restoreOptions.processes)
        return settings
    }

    private func tell(_ record: DrillRecord) throws {
        if output.json {
            Console.shared.result(try json(record))
        } else if !output.quiet || record.outcome == .failed {
            Console.shared.result(record.text)
        }
        if record.outcome == .failed { throw ExitCode(ExitStatus.restoreFailed.rawValue) }
    }
}
