import Borg
import DumpCore
import Linux
import Staging

extension Run {
    /// The published set, for a run that only archives.
    func currentSet(holding lock: StagingLock, _ report: inout RunReport) async throws(RunFailure) -> SealedSet {
        let area = lock.area
        do {
            guard let set = try await area.verifiedSet(noting: lock) else {
                throw DumpError(
                    .settings, "there is no set to archive in \(area.root)",
                    hint: "Run 'muster dump' or 'muster run' first.")
            }
            report.set = RunReport.SetRecord(set)
            return set
        } catch {
            throw RunFailure(error, during: .archive)
        }
    }

    /// One archive of the set in each repository, in the order of the job file. One that fails does not stop the others.
    func archive(
        _ set: SealedSet, holding lock: StagingLock, _ report: inout RunReport
    ) async throws(RunFailure) {
        do {
            try await requireInPlace(set, in: lock.area)
        } catch {
            throw RunFailure(error, during: .archive)
        }
        var failures: [(name: String, error: any OperatorError)] = []
        for repository in job.repositories {
            var record = RunReport.ArchiveRecord(repository: repository.name, outcome: .failed, durationSeconds: 0)
            let startedAt = Timestamp.now
            do {
                let borg = try await repository.open()
                let confirmed = try await archivePersistently(set, in: borg, holding: lock)
                record.fill(from: confirmed)
                log.notice(
                    "archive confirmed",
                    metadata: ["repository": "\(repository.name)", "archive": "\(record.name ?? "")"])
                let upkeep = await keepUp(borg, after: confirmed.archive, holding: lock)
                record.upkeep = upkeep.record
                if let error = upkeep.error { failures.append((repository.name, error)) }
            } catch {
                let error = error as? any OperatorError ?? UnexpectedError(error)
                record.error = RunReport.ErrorRecord(error)
                failures.append((repository.name, error))
            }
            record.durationSeconds = Timestamp.now.seconds(since: startedAt)
            report.archives.append(record)
            if Task.isCancelled { throw .interrupted }
        }
        StopPoint.passing("archived")
        guard !failures.isEmpty else { return }
        let error = CombinedError("repositories", failures)
        throw failures.contains { $0.error.isDamageToTheSet } ? .damagedSet(error) : .archive(error)
    }
}

extension OperatorError {
    /// Whether an archive failed because the set that Borg read was not what was sealed.
    fileprivate var isDamageToTheSet: Bool {
        ((self as? BorgError)?.underlying as? DumpError)?.code == .damagedSet
    }
}

extension DumpError.Code {
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
