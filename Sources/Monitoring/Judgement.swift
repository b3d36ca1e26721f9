import DumpCore
import Reporting
import Staging

/// Why a job is not simply well.
struct Judgement {
    private let records: JobRecords
    private let history: JobHistory
    private let health: JobHealth

    init(_ records: JobRecords, _ history: JobHistory, _ health: JobHealth) {
        self.records = records
        self.history = history
        self.health = health
    }

    /// The worst first; of the same weight, in the order of the story.
    var reasons: [Finding] {
        let all =
            runReasons + [brokenSet, missingSet].compactMap(\.self) + health.dumps.flatMap(reasons)
            + health.repositories.flatMap(reasons) + drillReasons
            + leftovers
        // A stable sort: the order within a severity is that above.
        return Finding.Severity.allCases.reversed().flatMap { severity in all.filter { $0.severity == severity } }
    }

    // MARK: - Runs

    /// Programs of the operator's that failed although the newest run went on.
    private var failedHooks: [Finding] {
        guard let last = history.ended.first, last.outcome == .done else { return [] }
        return (last.hooks ?? []).compactMap { hook in
            hook.error.map {
                Finding(
                    .warning, $0.code, object: hook.program, "hook \(hook.hook) failed: \($0.message)",
                    hint: $0.hint ?? "Run the program by hand, then muster run \(health.job).")
            }
        }
    }

    /// Receivers that the newest run could not tell.
    private var untold: [Finding] {
        let notices = history.ended.first?.notices ?? []
        return notices.filter { !$0.reached }.map { notice in
            reason(
                .notTold, code: notice.error?.code, object: notice.receiver,
                "receiver \(notice.receiver) did not get the notice of \(notice.event): \(notice.error?.message ?? "the reason is not known")",
                hint: notice.error?.hint)
        }
    }

    private var runReasons: [Finding] { [lastRunReason, staleJob].compactMap(\.self) + besides + failedHooks + untold }

    /// What went wrong beside the dumps and archives of the last run, such as metrics that it could not write.
    private var besides: [Finding] { (history.ended.first?.findings ?? []).filter { $0.severity != .note } }

    private var lastRunReason: Finding? {
        guard let last = history.ended.first else {
            guard history.running == nil, history.ahead == nil else { return nil }
            return reason(.neverRun, object: health.job, "the job has never run")
        }
        switch last.outcome {
        case .done, .running: return nil
        case .noResult:
            return reason(
                .runWithoutResult, object: last.runID.description,
                "the last run, \(last.startedAt.local), ended without a result: it was killed, or the host went down")
        case .interrupted:
            return reason(
                .runInterrupted, object: last.runID.description,
                "the last run, \(last.startedAt.local), was interrupted")
        case .failed: return failureOfLastRun(last)
        }
    }

    /// What an archive failed of is a matter of its repository, which a later archive may have put right.
    private func failureOfLastRun(_ run: RunReport) -> Finding? {
        if run.exitStatus == ExitStatus.archiveFailed.rawValue, run.archives.contains(where: { $0.outcome != .done }) {
            return nil
        }
        let error = run.error
        return reason(
            .runFailed, code: error?.code, object: run.runID.description,
            "the last run, \(run.startedAt.local), failed: \(error?.message ?? "its report does not say why")",
            hint: error?.hint)
    }

    private var staleJob: Finding? {
        guard let success = health.lastSuccess, let run = history.published.first else { return nil }
        return age(
            of: run.succeededAt, health.ageLimit, .jobStale, object: success.runID.description,
            "no set has been published")
    }

    // MARK: - Dumps

    private func reasons(_ dump: DumpHealth) -> [Finding] {
        (dump.findings + dump.omissions).filter { $0.severity != .note }.map { finding in
            var finding = finding
            // A failure of a dump is its run's, and said there. What is on record here was no reason to stop.
            finding.severity = .warning
            finding.message = Finding.sentence(finding.message, of: dump.name)
            return finding
        }
    }

    // MARK: - Repositories

    private func reasons(_ repository: RepositoryHealth) -> [Finding] {
        if let error = records.unreadableLedgers[repository.name] {
            return [
                Finding(
                    .failure, error.codeName, object: repository.name, error.message, hint: error.hint)
            ]
        }
        return [failedArchive(repository), failedUpkeep(repository), staleRepository(repository), clock(repository)]
            .compactMap(\.self)
    }

    private func failedArchive(_ repository: RepositoryHealth) -> Finding? {
        guard let attempt = repository.lastAttempt, attempt.outcome != .done, isNews(attempt, in: repository) else {
            return neverArchived(repository)
        }
        return reason(
            .archiveFailed, code: attempt.error?.code, object: repository.name,
            "repository \(repository.name): the last archive failed: \(attempt.error?.message ?? attempt.outcome.rawValue)",
            hint: attempt.error?.hint)
    }

    /// An archive may be confirmed by a run that could not write its report.
    private func isNews(_ attempt: RepositoryHealth.Attempt, in repository: RepositoryHealth) -> Bool {
        repository.lastConfirmed.map { $0.at < attempt.endedAt } ?? true
    }

    private func neverArchived(_ repository: RepositoryHealth) -> Finding? {
        guard repository.lastConfirmed == nil, health.lastSuccess != nil, health.running == nil else { return nil }
        return reason(
            .neverArchived, object: repository.name,
            "repository \(repository.name): no archive was ever confirmed in it")
    }

    private func failedUpkeep(_ repository: RepositoryHealth) -> Finding? {
        guard let error = repository.lastAttempt?.upkeepError else { return nil }
        return Finding(
            .failure, error.code, object: repository.name,
            "repository \(repository.name): its archive is good, but what followed failed: \(error.message)",
            hint: error.hint)
    }

    private func staleRepository(_ repository: RepositoryHealth) -> Finding? {
        guard let confirmed = repository.lastConfirmed else { return nil }
        return age(
            of: confirmed.at, repository.ageLimit, .repositoryStale, object: repository.name,
            "repository \(repository.name): no archive has been confirmed")
    }

    /// An archive that is dated ahead of now says nothing about its age.
    private func clock(_ repository: RepositoryHealth) -> Finding? {
        repository.lastConfirmed.flatMap { ahead($0.at, "the last archive in repository \(repository.name)") }
    }

    // MARK: - Drills

    private var drillReasons: [Finding] {
        guard let drill = health.drill else { return [] }
        return [failedDrill(drill), staleDrill(drill)].compactMap(\.self)
    }

    private func failedDrill(_ drill: DrillHealth) -> Finding? {
        guard let last = drill.last, last.outcome == .failed else { return nil }
        return reason(
            .drillFailed, object: last.origin,
            "the last drill, \(last.endedAt.local), of \(last.origin) failed: \(last.error ?? "")")
    }

    private func staleDrill(_ drill: DrillHealth) -> Finding? {
        guard let proven = drill.lastProvenAt else {
            guard drill.last == nil else { return nil }
            return reason(.neverDrilled, object: health.job, "no drill has ever proven that a restore works")
        }
        return age(
            of: proven, drill.ageLimit, .drillStale, object: drill.lastProven ?? health.job,
            "no drill has proven that a restore works")
    }

    // MARK: - What is left

    private var brokenSet: Finding? {
        records.status.setError.map {
            Finding(.failure, $0.code, object: health.job, $0.message, hint: $0.hint)
        }
    }

    private var missingSet: Finding? {
        let status = records.status
        guard status.set == nil, status.setError == nil, health.running == nil, let last = history.published.first
        else { return nil }
        return reason(
            .setMissing, object: last.runID.description,
            "the set of the run of \(last.startedAt.local) is no longer in \(status.staging)")
    }

    private var leftovers: [Finding] {
        let status = records.status
        let undone = health.running == nil ? status.toUndo.compactMap(\.record).filter { $0.isKept != true } : []
        return undone.map {
            reason(.leftToUndo, object: $0.kind, "run \($0.run) left a \($0.kind) of dump \($0.dump)")
        }
            + status.lost.map {
                reason(
                    .lostForBorg, object: $0.kind,
                    "the \($0.kind) of dump \($0.dump) of run \($0.run), for another program to read, was no longer whole"
                )
            }
            + status.unfinished.map {
                reason(
                    .leftDirectory, object: $0.path, "\($0.command) of \($0.at.local) was killed and left \($0.path)")
            }
            + status.unreadable.map { reason(.recordUnreadable, object: health.job, $0) }
            + [history.ahead.flatMap { ahead($0.startedAt, "run \($0.runID)") }].compactMap(\.self)
    }

    // MARK: - In words

    /// - Parameters:
    ///   - code: of the error that is the reason, if there is one.
    ///   - hint: of that error.
    private func reason(
        _ reason: ReasonCode, code: String? = nil, object: String, _ message: String, hint: String? = nil
    ) -> Finding {
        Finding(
            reason.severity, code ?? reason.rawValue, object: object, message,
            hint: hint ?? reason.hint(for: health.job))
    }

    private func age(
        of success: Timestamp, _ limit: AgeLimit?, _ stale: ReasonCode, object: String, _ what: String
    ) -> Finding? {
        guard let limit, limit.isExceeded(since: success, at: health.at) else { return nil }
        let age = Duration.seconds(health.at.seconds(since: success)).inWords
        let allowed = Duration.seconds(limit.seconds).inWords
        let rule = limit.isSet ? "alert_after: \(allowed)" : "three times the usual interval are \(allowed)"
        return reason(stale, object: object, "\(what) for \(age) (\(rule))")
    }

    private func ahead(_ time: Timestamp, _ what: String) -> Finding? {
        guard time.isAhead(of: health.at) else { return nil }
        return reason(
            .datedAhead, object: health.job, "\(what) is dated \(time.local), which is ahead of this host's clock")
    }
}
