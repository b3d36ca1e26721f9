import DumpCore
import Reporting

extension JobMetrics {
    mutating func addRuns(_ history: JobHistory, _ health: JobHealth) {
        add(.jobAlertAfter, health.ageLimit?.seconds)
        add(.jobRunning, health.running != nil)
        add(.jobLastRunStart, history.runs.first?.startedAt)
        if let last = history.ended.first { add(last) }
        guard let published = history.published.first else { return }
        add(.jobLastSuccess, published.succeededAt)
        add(.setBytes, published.set?.bytes)
        add(.setFiles, published.set?.files)
        add(.setReusedBytes, published.set?.reusedBytes)
    }

    private mutating func add(_ run: RunReport) {
        add(.jobLastRunEnd, run.endedAt)
        add(.jobLastRunSuccess, run.outcome == .done)
        let outcomes: [RunReport.Outcome] = [.done, .failed, .interrupted, .noResult]
        add(.jobLastRunOutcome, stateOf: run.outcome.rawValue, among: outcomes.map(\.rawValue))
        add(.jobLastRunExitStatus, run.exitStatus.map(Int.init))
        // The clock may have been set meanwhile.
        add(.jobLastRunDuration, max(0, run.endedAt.seconds(since: run.startedAt)))
        for stage in RunReport.Stage.allCases {
            add(.jobLastRunStageDuration, run.stages?[stage], stage.rawValue)
        }
        add(.jobLastRunAttempts, run.attempts)
    }

    /// What a run at work has noted for itself is not left over.
    mutating func addJournal(_ status: JobStatus, _ health: JobHealth) {
        let left = status.toUndo.compactMap(\.record).filter { $0.run != health.running?.runID }
        let counts = [
            ("to_undo", left.count { $0.isKept != true }), ("kept", left.count { $0.isKept == true }),
            ("lost", status.lost.count), ("unfinished", status.unfinished.count),
            ("unreadable", status.unreadable.count),
        ]
        for (state, count) in counts { add(.jobJournalEntries, count, state) }
    }
}
