import DumpCore
import Jobs
import Reporting

/// How one dump of a job is doing.
public struct DumpHealth: Sendable, Encodable {
    public var name: String
    public var provider: String
    /// The newest run whose set has it.
    public var lastSuccess: Success?
    /// Bytes of it in the last sets, oldest first, at most twenty.
    public var sizes: [Int64]
    /// What the newest run said of it: warnings, and what it does not hold.
    public var findings: [Finding]
    public var omissions: [Finding]
    /// What became of it in the newest run that came so far.
    public var lastOutcome: RunReport.Outcome?
    public var error: RunReport.ErrorRecord?

    public struct Success: Sendable, Encodable {
        public var runID: RunID
        /// When the set was published.
        public var at: Timestamp
        public var bytes: Int64
        public var files: Int
        public var durationSeconds: Double
        /// As of when its contents are.
        public var moment: Moment?
    }

    init(_ dump: Job.Dump, _ history: JobHistory) {
        (name, provider) = (dump.name, dump.kind.name)
        let attempts = history.attempts(of: dump.name, dump.kind.name)
        let successes = attempts.filter { $0.run.hasPublished }.compactMap { run, dump in
            dump.bytes.map {
                Success(
                    runID: run.runID, at: run.succeededAt, bytes: $0, files: dump.files ?? 0,
                    durationSeconds: dump.durationSeconds, moment: dump.moment)
            }
        }
        lastSuccess = successes.first
        sizes = successes.prefix(20).map(\.bytes).reversed()
        let last = attempts.first?.dump
        findings = last?.findings ?? []
        omissions = last?.omissions ?? []
        lastOutcome = last?.outcome
        error = last?.error
    }
}
