import Catalog
import DumpCore
import Jobs
import Reporting
import Restoring
import Staging
import SystemPackage

/// All that is on record of one job on this host: what every status, metric, notice and page is made of. No repository is asked.
public struct JobRecords: Sendable {
    public var job: Job
    /// With all runs that are on record, the newest first.
    public var status: JobStatus
    /// By the name of the repository. One without a record has an empty ledger.
    public var ledgers: [String: RepositoryLedger]
    /// Ledgers that cannot be read, by the name of the repository.
    public var unreadableLedgers: [String: StagingError] = [:]
    /// Drills of the job on this host, oldest first.
    public var drills: [DrillRecord]

    public init(
        job: Job, status: JobStatus, ledgers: [String: RepositoryLedger] = [:], drills: [DrillRecord] = []
    ) {
        self.job = job
        self.status = status
        self.ledgers = ledgers
        self.drills = drills
    }

    /// Reads it all, and changes nothing. A staging area that is not there yet has nothing on record.
    ///
    /// - Parameter state: the restore area that has the records of drills. Without one no drill was held here.
    public init(of job: Job, state: FilePath) async throws {
        let status = try await JobStatus(job: job.name, staging: job.staging)
        let drills = (try? await DrillStore(in: state).records(ofJob: job.name)) ?? []
        self.init(job: job, status: status, drills: drills)
        let area = try await StagingArea.openExisting(job.staging)
        for repository in job.repositories {
            do {
                ledgers[repository.name] = try await RepositoryLedger(of: repository.name, in: area)
            } catch {
                unreadableLedgers[repository.name] = error
            }
        }
    }
}
