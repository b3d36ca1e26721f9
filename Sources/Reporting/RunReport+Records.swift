import DumpCore
import Staging

/// What a report says of its parts.
extension RunReport {
    public struct ErrorRecord: Sendable, Codable {
        public var code: String
        public var message: String
        public var hint: String?
        public var context: [String: String]

        public init(_ error: any OperatorError) {
            code = error.codeName
            message = error.message
            hint = error.hint
            context = Dictionary(error.context.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
        }
    }

    /// In seconds, over all attempts. Nil for a stage that was not reached.
    public struct StageTimes: Sendable, Codable, Equatable {
        public var prepareSeconds: Double?
        public var dumpSeconds: Double?
        public var sealSeconds: Double?
        public var archiveSeconds: Double?

        public init() {}

        public subscript(stage: Stage) -> Double? {
            get { self[keyPath: Self.path(of: stage)] }
            set { self[keyPath: Self.path(of: stage)] = newValue }
        }

        private static func path(of stage: Stage) -> WritableKeyPath<Self, Double?> {
            switch stage {
            case .prepare: \.prepareSeconds
            case .dump: \.dumpSeconds
            case .seal: \.sealSeconds
            case .archive: \.archiveSeconds
            }
        }
    }

    public struct DumpRecord: Sendable, Codable {
        public var name: String
        public var provider: String
        public var outcome: Outcome
        public var durationSeconds: Double
        public var bytes: Int64?
        public var files: Int?
        public var moment: Moment?
        public var findings: [Finding]
        public var omissions: [Finding]
        public var error: ErrorRecord?

        public init(
            name: String, provider: String, outcome: Outcome, durationSeconds: Double, findings: [Finding],
            omissions: [Finding]
        ) {
            self.name = name
            self.provider = provider
            self.outcome = outcome
            self.durationSeconds = durationSeconds
            self.findings = findings
            self.omissions = omissions
        }
    }

    public struct SetRecord: Sendable, Codable {
        public var path: String
        public var runID: RunID
        public var bytes: Int64
        public var files: Int
        /// Files that are the same as in the set before, and were linked to it.
        public var reusedFiles: Int
        public var reusedBytes: Int64
    }

    public struct ArchiveRecord: Sendable, Codable {
        public var repository: String
        public var outcome: Outcome
        public var durationSeconds: Double
        public var name: String?
        public var id: String?
        /// New bytes in the repository, after deduplication and compression.
        public var storedBytes: Int64?
        /// The part of the duration that it took to show that the archive holds the set.
        public var confirmationSeconds: Double?
        public var error: ErrorRecord?
        /// What followed a confirmed archive; nil if nothing was to follow.
        public var upkeep: UpkeepRecord?

        public init(repository: String, outcome: Outcome, durationSeconds: Double) {
            self.repository = repository
            self.outcome = outcome
            self.durationSeconds = durationSeconds
        }
    }

    /// How a repository was pruned, compacted and checked after its archive was confirmed. The archive is good whatever became of it.
    public struct UpkeepRecord: Sendable, Codable {
        public enum Check: String, Sendable, Codable { case full, data, part }

        /// Archives that were deleted, newest first.
        public var pruned: [String]?
        /// Why nothing was pruned although `keep:` is set; nil if it was.
        public var pruneObstacles: [Finding]?
        /// How many archives of the job are left.
        public var kept: Int?
        public var compacted: Bool?
        /// What Borg says it has freed, roughly; nil if it says nothing, as where a repository only grows.
        public var freedBytes: Int64?
        /// The check that was due and found no damage.
        public var checked: Check?
        public var error: ErrorRecord?

        public init() {}
    }
}

extension RunReport.SetRecord {
    public init(_ set: SealedSet, reuse: Reuse? = nil) {
        path = set.root.string
        runID = set.manifest.runID
        bytes = set.manifest.bytes
        files = set.files
        reusedFiles = reuse?.files ?? 0
        reusedBytes = reuse?.bytes ?? 0
    }
}
