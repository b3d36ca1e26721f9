import Borg
import DumpCore
import Jobs
import Linux
import Reporting
import Staging

extension Run {
    /// The published set, for a run that only archives.
    func currentSet(holding lock: StagingLock) async throws(RunFailure) -> SealedSet {
        let area = lock.area
        do {
            guard let set = try await area.verifiedSet(noting: lock) else {
                throw DumpError(
                    .settings, "there is no set to archive in \(area.root)",
                    hint: "Run 'muster dump' or 'muster run' first.")
            }
            record.note { $0.set = RunReport.SetRecord(set) }
            return set
        } catch {
            throw RunFailure(error, during: .archive)
        }
    }

    /// One archive of the set in each repository, in the order of the job file. One that fails does not stop the others.
    func archive(_ set: SealedSet, holding lock: StagingLock) async throws(RunFailure) {
        do {
            try await requireInPlace(set, in: lock.area)
        } catch {
            throw RunFailure(error, during: .archive)
        }
        var failures: [(name: String, error: any OperatorError)] = []
        for repository in job.repositories {
            let startedAt = Timestamp.now
            var archived = await archive(set, in: repository, holding: lock)
            archived.record.durationSeconds = Timestamp.now.seconds(since: startedAt)
            note(archived.record)
            if let error = archived.error { failures.append((repository.name, error)) }
            if Task.isCancelled { throw .interrupted }
        }
        StopPoint.passing("archived")
        guard !failures.isEmpty else { return }
        let error = CombinedError("repositories", failures)
        throw failures.contains { $0.error.isDamageToTheSet } ? .damagedSet(error) : .archive(error)
    }

    /// One archive, and what follows it there. Throws nothing: what failed is in the record, and returned.
    private func archive(
        _ set: SealedSet, in repository: Job.Repository, holding lock: StagingLock
    ) async -> (record: RunReport.ArchiveRecord, error: (any OperatorError)?) {
        var archived = RunReport.ArchiveRecord(repository: repository.name, outcome: .failed, durationSeconds: 0)
        do {
            let borg = try await job.open(repository)
            let confirmed = try await archivePersistently(set, in: borg, holding: lock)
            archived.fill(from: confirmed)
            log.note(
                .archiveConfirmed, ["repository": "\(repository.name)", "archive": "\(archived.name ?? "")"])
            let kept = await upkeep.follow(confirmed.archive, in: borg, holding: lock)
            archived.upkeep = kept.record
            return (archived, kept.error)
        } catch {
            let error = error.forOperator
            archived.error = RunReport.ErrorRecord(error)
            return (archived, error)
        }
    }

    private func note(_ archive: RunReport.ArchiveRecord) {
        record.note { $0.archives.append(archive) }
    }

    private var upkeep: Upkeep { Upkeep(of: job, since: record.startedAt, log: log) }
}

extension OperatorError {
    /// Whether an archive failed because the set that Borg read was not what was sealed.
    fileprivate var isDamageToTheSet: Bool {
        ((self as? BorgError)?.cause as? DumpError)?.code == .damagedSet
    }
}

extension DumpErrorCode {
    static let damagedSet = Self(rawValue: StagingError.Code.damagedSet.rawValue)
}

extension RunReport.ArchiveRecord {
    fileprivate mutating func fill(from confirmed: ConfirmedArchive) {
        outcome = .done
        name = confirmed.archive.name
        id = confirmed.archive.id
        storedBytes = confirmed.storedBytes
        confirmationSeconds = confirmed.confirmation / .seconds(1)
    }
}
