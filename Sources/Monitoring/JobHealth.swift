import DumpCore
import Jobs
import Reporting
import Staging

/// How a job is doing, judged at one time from what is on record. It is the one model behind `muster status`, the metrics, the notices of
/// stale jobs, and the report page.
public struct JobHealth: Sendable, Encodable {
    public var job: String
    public var verdict: Verdict
    /// Why it is not better, the worst first.
    public var reasons: [Finding]
    /// When it was judged. Ages count to then.
    public var at: Timestamp
    /// How old the last good run may become; nil if nothing tells.
    public var ageLimit: AgeLimit?
    /// The newest run that published a set.
    public var lastSuccess: RunMark?
    /// The newest run that has ended, well or not.
    public var lastRun: RunMark?
    /// The run that is at work now.
    public var running: Running?
    /// In the order of the job file.
    public var dumps: [DumpHealth]
    public var repositories: [RepositoryHealth]
    /// Nil if no drill was ever held on this host, and none is asked for.
    public var drill: DrillHealth?

    /// A run, and when it was.
    public struct RunMark: Sendable, Encodable {
        public var runID: RunID
        public var command: String
        public var outcome: RunReport.Outcome
        public var startedAt: Timestamp
        public var endedAt: Timestamp
        public var exitStatus: Int32?

        init(_ run: RunReport) {
            (runID, command, outcome, startedAt, endedAt) = (
                run.runID, run.command, run.outcome, run.startedAt, run.endedAt
            )
            exitStatus = run.exitStatus
        }
    }

    public struct Running: Sendable, Encodable {
        public var runID: RunID
        public var command: String
        public var startedAt: Timestamp
        public var stage: RunReport.Stage?
    }

    /// - Parameter now: what ages count to.
    public init(_ records: JobRecords, at now: Timestamp = .now) {
        let history = JobHistory(records.status.runs, until: now)
        job = records.job.name
        at = now
        ageLimit = AgeLimit(records.job.alertAfter, successes: history.published.map(\.succeededAt))
        lastSuccess = history.published.first.map(RunMark.init)
        lastRun = history.ended.first.map(RunMark.init)
        running = history.running.map {
            Running(runID: $0.runID, command: $0.command, startedAt: $0.startedAt, stage: $0.stage)
        }
        dumps = records.job.dumps.map { DumpHealth($0, history) }
        repositories = records.job.repositories.map { RepositoryHealth($0, records, history) }
        drill = DrillHealth(records)
        (reasons, verdict) = ([], .ok)
        reasons = Judgement(records, history, self).reasons
        verdict = reasons.verdict
    }
}
