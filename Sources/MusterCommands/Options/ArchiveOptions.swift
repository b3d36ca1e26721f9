import ArgumentParser
import Borg
import Catalog
import DumpCore
import Jobs
import Logging
import Reporting
import SystemPackage

/// The help of arguments that name an archive.
let archiveHelp: ArgumentHelp =
    "An archive: its name, the id of its run, the start of either, or 'latest' for the newest confirmed one."

/// Which job and which of its repositories a command reads from.
struct CatalogOptions: ParsableArguments {
    @OptionGroup var repositories: RepositoryOptions
    @OptionGroup var jobOptions: JobOptions

    func catalog(log: Logger) throws -> ArchiveCatalog { ArchiveCatalog(of: try job(log: log), log: log) }

    /// Where the job's plugins are; nil for the usual places, and without a job that can be read.
    var pluginPath: [FilePath]? { (try? jobOptions.read())?.pluginPath }

    /// The kinds of the job's dumps; nil without a job that can be read.
    var kinds: Set<String>? { (try? jobOptions.read()).map { Set($0.dumps.map(\.kind.name)) } }

    func job(_ positional: String? = nil, log: Logger) throws -> ReadyJob {
        var job = try jobOptions.load(positional, log: log)
        try repositories.choose(in: &job)
        return job
    }
}

/// The same, or a repository that is named by its location, on a host that has no job for it.
struct AnyCatalogOptions: ParsableArguments {
    @OptionGroup var ofJob: CatalogOptions
    @OptionGroup var location: LocationOptions

    /// Whether archives of all jobs and hosts count.
    var isOfLocation: Bool { location.location != nil }

    /// Throws errors of usage, and those of opening the repository. What was made for it is removed when `body` has ended.
    func withCatalog<Result>(
        log: Logger, _ body: (ArchiveCatalog) async throws -> Result
    ) async throws -> Result {
        guard isOfLocation else {
            try location.requireNone()
            return try await body(ofJob.catalog(log: log))
        }
        guard ofJob.isEmpty else {
            throw ValidationError(
                "--repository-location goes without a job",
                hint: "Leave out --job, --config and --repository, or --repository-location.")
        }
        return try await location.withCatalog(log: log, body)
    }
}

extension CatalogOptions {
    fileprivate var isEmpty: Bool {
        jobOptions.config == nil && jobOptions.job == nil && repositories.names.isEmpty
    }
}

/// Reads from archives, and gives each failure its exit status.
func reading<Result>(_ work: () async throws -> Result) async throws -> Result {
    do {
        return try await work()
    } catch let error as any OperatorError {
        throw CommandFailure(status: error.statusOfReading, error: error)
    }
}

extension OperatorError {
    fileprivate var statusOfReading: ExitStatus {
        switch self {
        case let failure as ExtractionFailure: failure.error.statusOfReading
        case let advised as AdvisedError: advised.error.statusOfReading
        case let error as ArchiveError: error.status
        case let error as BorgError where error.code == .notFaithful: .verificationFailed
        default: .archiveFailed
        }
    }
}

extension ArchiveError {
    fileprivate var status: ExitStatus {
        switch code {
        case .missing, .ambiguous, .nothingConfirmed: .archiveFailed
        case .notInArchive, .target: .usage
        case .notVerified: .verificationFailed
        case .noSpace, .system: .failed
        }
    }
}

/// An archive as JSON tells of it. What the archive does not say is left out.
struct ArchiveRecord: Encodable {
    var name: String
    var id: String
    var start: Timestamp
    var host: String?
    var job: String?
    var runID: RunID?
    var consistency: Moment.Kind?
    var bytes: Int64?
    var dumps: [String]
    var manifestSHA256: String?
    var standing: RepositoryLedger.Standing
    /// Nil if no drill on this host has tried it.
    var drill: LastDrill?

    struct LastDrill: Encodable {
        var outcome: String
        var endedAt: Timestamp
    }

    init(_ listed: CatalogedArchive) {
        let archive = listed.archive
        (name, id, start, standing) = (archive.name, archive.id, archive.start, listed.standing)
        let provenance = archive.provenance
        (host, job, runID) = (provenance?.series.host, provenance?.series.job, provenance?.runID)
        (consistency, bytes, dumps) = (provenance?.consistency, provenance?.bytes, provenance?.dumps ?? [])
        manifestSHA256 = provenance?.manifestSHA256
    }

    /// Snake case by itself would make `manifest_s_h_a256` of it.
    private enum CodingKeys: String, CodingKey {
        case name, id, start, host, job, runID, consistency, bytes, dumps, standing, drill
        case manifestSHA256 = "manifestSha256"
    }
}
