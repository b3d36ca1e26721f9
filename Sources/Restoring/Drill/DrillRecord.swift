import DumpCore
import SystemPackage

/// What came of one drill: a restore to a place that is thrown away.
public struct DrillRecord: Sendable, Codable {
    public enum Outcome: String, Sendable, Codable {
        /// Everything of the set was restored, and equals what its manifest says.
        case proven
        /// So was a part, the only one that was asked for.
        case sampled
        case failed
    }

    public var formatVersion = 1
    /// The id of the drill.
    public var runID: RunID
    public var startedAt = Timestamp.now
    public var endedAt = Timestamp.now
    public var job: String
    public var origin: RestoreOrigin
    /// The set that was restored, whichever archive it came from.
    public var manifestSHA256: String
    public var outcome = Outcome.failed
    public var fetched: Fetched?
    public var dumps: [Dump] = []
    /// Why the drill itself failed, if not a dump's restore.
    public var error: Failure?
    public var tool: Manifest.Tool

    /// What came of one dump.
    public struct Dump: Sendable, Codable {
        public var name: String
        public var provider: String
        public var durationSeconds: Double
        /// What was to be proven of it, such as databases; nil is all.
        public var sample: [String]?
        public var outcome: RestoreOutcome?
        public var error: Failure?

        public var isProven: Bool { error == nil && outcome?.isProven == true }
    }

    public struct Failure: Sendable, Codable, Hashable {
        public var code: String
        public var message: String
        public var hint: String?
        /// What the engine said, and what differs.
        public var details: [String: String]

        init(_ error: any OperatorError) {
            (code, message, hint) = (error.codeName, error.message, error.hint)
            details = Dictionary(error.context.map { ($0.name, $0.value) }) { first, _ in first }
        }
    }

    /// What went wrong first; nil where only what was restored differs, or nothing went wrong.
    public var failure: Failure? { error ?? dumps.lazy.compactMap(\.error).first }

    /// The same in one line, of a drill that failed.
    public var failureText: String { failure?.message ?? "what was restored is not what was expected" }

    /// How long it took to have everything back: the time to expect of a restore.
    public var durationSeconds: Double { endedAt.seconds(since: startedAt) }
}

extension DrillRecord {
    /// Dumps and, of those that were sampled, items that this drill has proven.
    func hasProven(_ item: DrillItem) -> Bool {
        dumps.contains { dump in
            guard dump.name == item.dump, dump.isProven else { return false }
            guard let sample = dump.sample, let name = item.item else { return true }
            return sample.contains(name)
        }
    }
}
