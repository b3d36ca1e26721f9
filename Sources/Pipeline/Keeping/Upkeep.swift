import Borg
import Catalog
import DumpCore
import Jobs
import Linux
import Logging
import Reporting
import Staging

/// What follows a confirmed archive, or is asked for by hand: prune, compact, check. Each as the settings of its repository say.
public struct Upkeep: Sendable {
    let job: ReadyJob
    /// When the run began that it belongs to.
    let startedAt: Timestamp
    let log: Logger

    init(of job: ReadyJob, since startedAt: Timestamp, log: Logger) {
        self.job = job
        self.startedAt = startedAt
        self.log = log
    }

    public init(of job: ReadyJob, log: Logger) { self.init(of: job, since: .now, log: log) }

    /// Looks after a repository that has just received an archive. Throws nothing: what failed is in the record, and returned.
    func follow(
        _ archive: Archive, in repository: BorgRepository, holding lock: StagingLock
    ) async -> (record: RunReport.UpkeepRecord?, error: (any OperatorError)?) {
        let settings = repository.settings
        guard settings.keep != nil || settings.check != nil else { return (nil, nil) }
        var record = RunReport.UpkeepRecord()
        var failures: [(name: String, error: any OperatorError)] = []
        do {
            if let retention = settings.keep {
                record = try await pruneAndCompact(repository, keeping: retention, holding: lock)
            }
        } catch {
            failures.append(("prune", error.forOperator))
        }
        do {
            if !Task.isCancelled, let schedule = settings.check {
                record.checked = try await checkIfDue(repository, by: schedule, holding: lock)
            }
        } catch {
            failures.append(("check", error.forOperator))
        }
        guard !failures.isEmpty else { return (record.isEmpty ? nil : record, nil) }
        var error = CombinedError("steps after the archive", failures)
        error.context["archive"] = "\(archive.name) (confirmed)"
        record.error = RunReport.ErrorRecord(error)
        return (record, error)
    }

    private func pruneAndCompact(
        _ repository: BorgRepository, keeping retention: Retention, holding lock: StagingLock
    ) async throws -> RunReport.UpkeepRecord {
        var record = RunReport.UpkeepRecord()
        let decided = try await decide(repository, keeping: retention, in: lock.area)
        let plan = decided.plan
        say(plan, of: repository)
        guard plan.obstacles.isEmpty else {
            record.pruneObstacles = plan.obstacles
            return record
        }
        try await carryOut(decided, in: repository, holding: lock)
        record.pruned = plan.going.map(\.name)
        record.kept = plan.staying.count
        if plan.deletesAnything {
            record.freedBytes = try await repository.compact()
            record.compacted = true
        }
        log.note(
            .repositoryPruned,
            [
                "repository": "\(repository.name)", "pruned": "\(plan.going.count)", "kept": "\(plan.staying.count)",
                "freed": "\(record.freedBytes.map(formatBytes) ?? "unknown")",
            ])
        return record
    }

    /// A plan, and what the repository holds of the job by it.
    struct DecidedPrune {
        var holdings: Holdings
        var plan: PrunePlan
    }

    /// Decides what becomes of each archive. Changes nothing.
    func decide(
        _ repository: BorgRepository, keeping retention: Retention, in area: StagingArea?
    ) async throws -> DecidedPrune {
        let ledger = try await RepositoryLedger(of: repository.name, in: area)
        let holdings = try await repository.holdings(of: StagingArea.owner(job, in: area)).including(accepted: ledger)
        return DecidedPrune(
            holdings: holdings, plan: PrunePlan(holdings, keeping: retention, knowing: ledger))
    }

    /// Deletes what no rule keeps, and what was never confirmed. Throws, and deletes nothing, where that must not be.
    func carryOut(
        _ decided: DecidedPrune, in repository: BorgRepository, holding lock: StagingLock
    ) async throws {
        try decided.plan.requireConfirmed(in: repository.name)
        let holdings = decided.holdings
        let staying = Set(decided.plan.staying.map(\.id))
        try await repository.delete(
            holdings.archives.filter { !staying.contains($0.id) } + holdings.staleCheckpoints)
        StopPoint.passing("pruned")
        var ledger = try await RepositoryLedger(of: repository.name, in: lock.area)
        ledger.keepOnly(holdings.archives.filter { staying.contains($0.id) }, of: holdings.owner)
        try await lock.writeRepositoryRecord(of: repository.name, ledger)
    }

    /// Logs what the operator should look into.
    func say(_ plan: PrunePlan, of repository: BorgRepository) {
        for finding in plan.obstacles + plan.notes {
            var metadata: Logger.Metadata = ["repository": "\(repository.name)", "code": "\(finding.code)"]
            if let hint = finding.hint { metadata["hint"] = "\(hint)" }
            log.warning(
                "\(plan.obstacles.contains(finding) ? "nothing is pruned: " : "")\(finding.message)", metadata: metadata
            )
        }
    }

    private func checkIfDue(
        _ repository: BorgRepository, by schedule: CheckSchedule, holding lock: StagingLock
    ) async throws -> RunReport.UpkeepRecord.Check? {
        let ledger = try await RepositoryLedger(of: repository.name, in: lock.area)
        let due = schedule.due(
            lastCheck: ledger.lastCheckAt, lastVerification: ledger.lastDataVerificationAt, at: startedAt)
        guard let due else { return nil }
        try await check(repository, due, holding: lock)
        return RunReport.UpkeepRecord.Check(due)
    }

    /// Has the repository checked, and notes it. After damage nothing is noted: the next run checks again.
    func check(_ repository: BorgRepository, _ check: RepositoryCheck, holding lock: StagingLock) async throws {
        try await repository.check(check)
        var ledger = try await RepositoryLedger(of: repository.name, in: lock.area)
        ledger.note(check, at: startedAt)
        try await lock.writeRepositoryRecord(of: repository.name, ledger)
        let kind = RunReport.UpkeepRecord.Check(check)
        log.note(.repositoryChecked, ["repository": "\(repository.name)", "check": "\(kind.rawValue)"])
    }

}

extension RunReport.UpkeepRecord {
    /// Nothing was due.
    fileprivate var isEmpty: Bool { pruned == nil && pruneObstacles == nil && checked == nil && error == nil }
}

extension RunReport.UpkeepRecord.Check {
    init(_ check: RepositoryCheck) {
        switch check {
        case .full: self = .full
        case .data: self = .data
        case .part: self = .part
        }
    }
}
