import DumpCore
import Staging

/// What prepare says of a job, when nothing more is wanted: `muster check`. Takes no lock, and changes nothing but that it writes one file
/// to the staging area and removes it.
public struct Examination: Sendable, Encodable {
    public struct Part: Sendable, Encodable {
        public enum Kind: String, Sendable, Codable { case staging, dump, repository }

        public var kind: Kind
        /// The dump's or repository's name, or the staging area's path.
        public var name: String
        /// Whether a dump's source answered; nil where something else stood in the way before it was asked.
        public var reachable: Bool?
        /// What was learnt of a dump's source, in the order to show it.
        public var facts: ErrorContext?
        /// Expected size in bytes, of a dump.
        public var estimatedBytes: Int64?
        /// What the newest good run took of a dump.
        public var lastRun: PastDump?
        /// What the next set will take of the staging area, and what is free there.
        public var expectedBytes: Int64?
        public var freeBytes: Int64?
        /// Most severe first.
        public var findings: [Finding]
        /// What a dump would not hold although it is in its source.
        public var omissions: [Finding] = []

        public init(kind: Kind, name: String, findings: [Finding]) {
            self.kind = kind
            self.name = name
            self.findings = findings
        }

        public var isReady: Bool { failures.isEmpty }
    }

    public var job: String
    public var parts: [Part]
    /// Whether a run would succeed, as far as can be known before it.
    public var ready: Bool
    /// The same in words, with the parts that stand in its way: `nightly: NOT READY: repository local`.
    public var verdict: String

    public init(job: String, parts: [Part]) {
        self.job = job
        self.parts = parts
        let obstacles = parts.filter { !$0.isReady }.map(\.label)
        ready = obstacles.isEmpty
        verdict = ready ? "\(job): READY" : "\(job): NOT READY: \(obstacles.joined(separator: ", "))"
    }

    /// What a run would end with; nil if it would succeed.
    public enum Obstacle: Sendable { case dump, archive, lock, configuration }
    public var obstacle: Obstacle? {
        guard !ready else { return nil }
        if parts.allSatisfy({ $0.kind == .repository || $0.isReady }) { return .archive }
        let codes = Set(parts.filter { $0.kind != .repository }.flatMap(\.failures).map(\.code))
        if codes == [StagingError.Code.locked.rawValue] { return .lock }
        // A run asks whose the staging area is before anything else.
        return codes.contains(StagingError.Code.anotherJob.rawValue) ? .configuration : .dump
    }
}

extension Examination.Part {
    /// As a verdict names it. There is one staging area.
    var label: String { kind == .staging ? kind.rawValue : "\(kind.rawValue) \(name)" }

    var failures: [Finding] { (findings + omissions).filter { $0.severity == .failure } }
}
