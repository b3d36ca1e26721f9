import DumpCore
import Jobs
import Reporting
import Restoring

/// What drills of a job on this host have shown.
public struct DrillHealth: Sendable, Encodable {
    public var last: Last?
    /// When a drill last proved all or a part of a set.
    public var lastProvenAt: Timestamp?
    /// The archive or set of that drill.
    public var lastProven: String?
    /// How long it took to have everything back in the last drill that proved all of a set.
    public var restoreSeconds: Double?
    /// How old the last proof may become; nil if nothing tells.
    public var ageLimit: AgeLimit?

    public struct Last: Sendable, Encodable {
        public var runID: RunID
        public var endedAt: Timestamp
        public var outcome: DrillRecord.Outcome
        /// What was restored, in words.
        public var origin: String
        public var durationSeconds: Double
        /// Why it failed, in one line.
        public var error: String?
    }

    /// Nil where nothing was ever tried and nothing is asked for.
    init?(_ records: JobRecords) {
        let limit = records.job.drill?.alertAfter
        guard !records.drills.isEmpty || limit != nil else { return nil }
        let proofs = records.drills.filter { $0.outcome != .failed }
        last = records.drills.last.map(Last.init)
        lastProvenAt = proofs.last?.endedAt
        lastProven = proofs.last?.origin.text
        restoreSeconds = proofs.last { $0.outcome == .proven }?.durationSeconds
        ageLimit = AgeLimit(limit, successes: proofs.map(\.endedAt))
    }
}

extension DrillHealth.Last {
    fileprivate init(_ drill: DrillRecord) {
        self.init(
            runID: drill.runID, endedAt: drill.endedAt, outcome: drill.outcome, origin: drill.origin.text,
            durationSeconds: drill.durationSeconds, error: drill.outcome == .failed ? drill.failureText : nil)
    }
}
