import DumpCore
import Reporting

/// What a restore did, or would do.
public struct RestoreReport: Sendable, Codable {
    public var formatVersion = 1
    /// The id of the restore.
    public var runID: RunID
    public var startedAt = Timestamp.now
    public var endedAt: Timestamp?
    public var origin: RestoreOrigin
    public var plan: [RestorePlan] = []
    public var findings: [Finding] = []
    /// Nil after a rehearsal.
    public var fetched: Fetched?
    public var dumps: [Dump] = []

    public struct Dump: Sendable, Codable {
        public var name: String
        public var provider: String
        public var outcome: RestoreOutcome

        public init(name: String, provider: String, outcome: RestoreOutcome) {
            (self.name, self.provider, self.outcome) = (name, provider, outcome)
        }
    }

    init(of source: RestoreSource, run: RunID) {
        runID = run
        origin = source.origin
    }
}
