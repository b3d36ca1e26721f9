import Borg
import Catalog
import DumpCore
import Jobs
import Reporting

/// How one repository of a job is doing, as far as this host knows: it is not asked.
public struct RepositoryHealth: Sendable, Encodable {
    public var name: String
    /// The archive that was confirmed last.
    public var lastConfirmed: Confirmed?
    /// How many archives count as confirmed.
    public var confirmedArchives: Int
    /// How old the last confirmed archive may become; nil if nothing tells.
    public var ageLimit: AgeLimit?
    /// What became of the newest archive that a run began.
    public var lastAttempt: Attempt?
    /// New bytes in the repository by the last archives, oldest first, at most twenty.
    public var storedBytes: [Int64]
    /// When the runs began whose check of the repository, of whatever kind or of all data, found no damage.
    public var lastCheckAt: Timestamp?
    public var lastDataVerificationAt: Timestamp?

    public struct Confirmed: Sendable, Encodable {
        public var archive: String
        public var runID: RunID
        public var at: Timestamp
    }

    public struct Attempt: Sendable, Encodable {
        public var runID: RunID
        public var endedAt: Timestamp
        public var outcome: RunReport.Outcome
        public var durationSeconds: Double
        public var storedBytes: Int64?
        public var error: RunReport.ErrorRecord?
        /// What went wrong after the archive was confirmed: pruning, compacting, or a check.
        public var upkeepError: RunReport.ErrorRecord?
    }

    init(_ repository: Job.Repository, _ records: JobRecords, _ history: JobHistory) {
        name = repository.name
        let ledger = records.ledgers[repository.name] ?? RepositoryLedger()
        lastConfirmed = ledger.lastConfirmed().map {
            Confirmed(archive: $0.archive, runID: $0.runID, at: $0.confirmedAt)
        }
        confirmedArchives = ledger.confirmed.count
        ageLimit = AgeLimit(
            repository.settings.alertAfter ?? records.job.alertAfter, successes: ledger.confirmed.map(\.confirmedAt))
        let attempts = history.attempts(in: repository.name)
        lastAttempt = attempts.first.map(Attempt.init)
        storedBytes = attempts.compactMap(\.archive.storedBytes).prefix(20).reversed()
        (lastCheckAt, lastDataVerificationAt) = (ledger.lastCheckAt, ledger.lastDataVerificationAt)
    }
}

extension RepositoryHealth.Attempt {
    fileprivate init(_ run: RunReport, _ archive: RunReport.ArchiveRecord) {
        self.init(
            runID: run.runID, endedAt: run.endedAt, outcome: archive.outcome, durationSeconds: archive.durationSeconds,
            storedBytes: archive.storedBytes, error: archive.error, upkeepError: archive.upkeep?.error)
    }
}
