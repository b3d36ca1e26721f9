import ArgumentParser
import Borg
import Catalog
import DumpCore
import Jobs
import Logging
import Reporting

/// Of arguments that name an archive.
let archiveHelp: ArgumentHelp =
    "An archive: its name, the id of its run, the start of either, or 'latest' for the newest confirmed one."

/// Which job and which of its repositories a command reads from.
struct CatalogOptions: ParsableArguments {
    @OptionGroup var repositories: RepositoryOptions
    @OptionGroup var jobOptions: JobOptions

    func catalog(log: Logger) throws -> ArchiveCatalog { ArchiveCatalog(of: try job(log: log), log: log) }

    func job(log: Logger) throws -> ReadyJob {
        var job = try jobOptions.load(log: log)
        try repositories.choose(in: &job)
        return job
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
        case name, id, start, host, job, runID, consistency, bytes, dumps, standing
        case manifestSHA256 = "manifestSha256"
    }
}
