import Borg
import DumpCore
import Jobs
import Reporting
import Staging

/// What became of one repository that was pruned or checked by hand.
public struct KeptRepository: Sendable, Codable {
    public var repository: String
    /// For a prune: what goes and stays, or went and stayed; nil if that was not even decided.
    public var plan: PrunePlan?
    public var compacted: Bool?
    /// What Borg says it has freed, roughly.
    public var freedBytes: Int64?
    /// The check, if it found no damage.
    public var checked: RunReport.UpkeepRecord.Check?
    public var error: RunReport.ErrorRecord?

    init(repository: String) { self.repository = repository }
}

extension Upkeep {
    /// The outcome for each repository, in the order of the job file, and what failed, if anything.
    public struct Kept: Sendable {
        public var repositories: [KeptRepository] = []
        public var failure: RunFailure?
    }

    /// `muster prune`: prunes and compacts every repository of the job that has `keep:`, holding the lock.
    ///
    /// - Parameter rehearsal: only decide. Takes no lock and writes nothing.
    public func prune(rehearsal: Bool) async -> Kept {
        guard !rehearsal else { return await inEachRepository(rehearse) }
        return await holdingLock(for: "prune") { repository, borg, lock, outcome in
            guard let retention = repository.settings.keep else { return }
            let decided = try await decide(borg, keeping: retention, in: lock.area)
            try await carryOut(decided, in: borg, holding: lock)
            outcome.plan = decided.plan
            outcome.freedBytes = try await borg.compact()
            outcome.compacted = true
        }
    }

    /// `muster check-repository`: has every repository of the job checked, holding the lock.
    public func check(_ check: RepositoryCheck) async -> Kept {
        await holdingLock(for: "check-repository") { _, borg, lock, outcome in
            try await self.check(borg, check, holding: lock)
            outcome.checked = RunReport.UpkeepRecord.Check(check)
        }
    }

    private func rehearse(
        _ repository: Job.Repository, _ borg: BorgRepository, _ outcome: inout KeptRepository
    ) async throws {
        guard let retention = repository.settings.keep else { return }
        let area = try await StagingArea.openExisting(job.staging)
        try await area?.requireJob(job.name, file: job.file)
        let plan = try await decide(borg, keeping: retention, in: area).plan
        outcome.plan = plan
        try plan.requireConfirmed(in: repository.name)
    }

    private func holdingLock(
        for command: String,
        _ work: (Job.Repository, BorgRepository, StagingLock, inout KeptRepository) async throws -> Void
    ) async -> Kept {
        do {
            let area = try await StagingArea.open(job.staging)
            let lock = try await area.lock(for: RunID(start: startedAt), command: "muster \(command) \(job.name)")
            defer { lock.release() }
            try await lock.claim(for: job)
            return await inEachRepository { try await work($0, $1, lock, &$2) }
        } catch {
            return Kept(failure: RunFailure(error, during: .archive))
        }
    }

    /// One that fails does not stop the others.
    private func inEachRepository(
        _ work: (Job.Repository, BorgRepository, inout KeptRepository) async throws -> Void
    ) async -> Kept {
        var kept = Kept()
        var failures: [(name: String, error: any OperatorError)] = []
        for repository in job.repositories {
            var outcome = KeptRepository(repository: repository.name)
            do {
                try await work(repository, try await job.open(repository), &outcome)
            } catch {
                let error = error.forOperator
                outcome.error = RunReport.ErrorRecord(error)
                failures.append((repository.name, error))
            }
            kept.repositories.append(outcome)
            if Task.isCancelled {
                kept.failure = .interrupted
                return kept
            }
        }
        if !failures.isEmpty { kept.failure = .archive(CombinedError("repositories", failures)) }
        return kept
    }
}
