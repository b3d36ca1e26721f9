import ArgumentParser
import Borg
import DumpCore
import Pipeline

struct ListCommand: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "List the archives of a job, or what is in one of them.",
        discussion: ExitStatus.help(.archiveFailed))

    @Argument(help: "An archive: show its dumps and databases.") var archive: String?
    @OptionGroup var repositories: RepositoryOptions
    @OptionGroup var jobOptions: JobOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
        let log = output.logger()
        var job = try jobOptions.load(log: log)
        try repositories.choose(in: &job)
        do {
            if let archive {
                try await show(archive, in: job.repositories)
            } else {
                try await listArchives(of: ArchiveSeries(host: job.host, job: job.name), in: job.repositories)
            }
        } catch let error as any OperatorError {
            throw CommandFailure(status: .archiveFailed, error: error)
        }
    }

    private struct Listing: Encodable {
        struct Entry: Encodable {
            var name: String
            var id: String
            var start: Timestamp
            var runID: RunID?
        }

        var repository: String
        var archives: [Entry]
    }

    private func listArchives(of series: ArchiveSeries, in repositories: [Job.Repository]) async throws {
        var listings: [Listing] = []
        for repository in repositories {
            let archives = try await repository.open().archives(of: series)
            listings.append(
                Listing(
                    repository: repository.name,
                    archives: archives.map {
                        Listing.Entry(name: $0.name, id: $0.id, start: $0.start, runID: $0.provenance?.runID)
                    }))
        }
        if output.json { return Console.shared.result(try json(listings)) }
        for listing in listings {
            Console.shared.result("repository \(listing.repository): \(listing.archives.count) archives of this job")
            for archive in listing.archives {
                Console.shared.result("  \(archive.name)  run \(archive.runID?.description ?? "unknown")")
            }
        }
    }

    /// From the first repository that has it.
    private func show(_ archive: String, in repositories: [Job.Repository]) async throws {
        var missing: BorgError?
        for repository in repositories {
            do {
                let manifest = try await repository.open().manifest(of: archive)
                return Console.shared.result(output.json ? try json(manifest) : manifest.text)
            } catch let error as BorgError where error.code == .archiveMissing {
                missing = missing ?? error
            }
        }
        if let missing { throw missing }
    }
}

extension Manifest {
    /// The dumps of a set and what is in them, one line each.
    fileprivate var text: String {
        var lines = ["run \(runID) of job \(job) on \(host), \(startedAt.local)"]
        for dump in dumps {
            lines.append("dump \(dump.name) (\(dump.provider)): \(formatBytes(dump.bytes)) in \(dump.files) files")
            for database in dump.databases {
                let rows = database.tables.reduce(0) { $0 + $1.rows }
                lines.append(
                    "  \(database.name): \(database.tables.count) tables, \(rows) rows, in \(dump.path)/\(database.path)"
                )
            }
        }
        return lines.joined(separator: "\n")
    }
}
