/// `manifest.json`: what a set holds and where it came from. Format version 1, or 2 where tables are stored as rows.
///
/// Key names in the file are these names in snake case. Written last; a directory without one is not a set.
public struct Manifest: Sendable, Codable, Equatable {
    public static let currentFormatVersion = 1
    /// The version of a set with tables that older versions of Muster cannot put together, and must not take for whole.
    public static let rowsFormatVersion = 2
    /// What all sizes of a set together can be: up to 4 EiB. Twice that is still a number.
    public static let possibleBytes: ClosedRange<Int64> = 0...(1 << 62)

    public var formatVersion = Manifest.currentFormatVersion
    public var tool: Tool
    public var job: String
    public var runID: RunID
    public var host: String
    public var startedAt: Timestamp
    public var endedAt: Timestamp
    /// From the first instant of any dump to the last.
    public var freeze: FreezeWindow
    /// In the order of their names.
    public var dumps: [DumpRecord]

    /// The size of all dumps; checksum files and the manifest itself do not count.
    public var bytes: Int64 { dumps.lazy.map(\.bytes).total }

    /// What an archive of the set holds of all dumps.
    public var archivedBytes: Int64 { dumps.lazy.map(\.archivedBytes).total }

    /// What all of that takes on disk once it is extracted, at least: a program that extracts need not find every hole again.
    public var diskBytes: Int64 { dumps.lazy.map(\.diskBytes).total }

    /// The least sure moment of all dumps; nil without any.
    public var consistency: Moment.Kind? {
        let kinds = Set(dumps.map(\.moment.kind))
        return [.live, .window, .exact].first { kinds.contains($0) }
    }

    public struct Tool: Sendable, Codable, Equatable {
        public var name: String
        public var version: String
        public init(name: String, version: String) {
            self.name = name
            self.version = version
        }
    }

    public struct FreezeWindow: Sendable, Codable, Equatable {
        public var from: Timestamp
        public var to: Timestamp
        public init(from: Timestamp, to: Timestamp) {
            self.from = from
            self.to = to
        }
    }

    public struct DumpRecord: Sendable, Codable, Equatable {
        public var name: String
        public var provider: String
        /// The dump's directory, relative to the set.
        public var path: String
        public var identity: [String: String]
        public var moment: Moment
        public var durationSeconds: Double
        public var bytes: Int64
        public var files: Int
        public var findings: [Finding]
        /// What is not in the dump although it is in the source.
        public var omissions: [Finding]
        public var checksums: Checksums
        public var databases: [DatabaseContents]
        /// What a dump of a whole cluster has beside databases. Nil in sets from before this was recorded.
        public var cluster: ClusterRecord?
        /// The tree, in a dump that is one.
        public var tree: TreeContents?

        /// With all tables as files.
        public var bytesPutTogether: Int64 { bytes.plus(databases.bytesPutTogether) }

        /// With what was not copied, but is in an archive of the set.
        public var archivedBytes: Int64 { bytes.plus(tree?.reference == nil ? 0 : tree?.bytes ?? 0) }

        public var diskBytes: Int64 { (archivedBytes - (tree?.bytes ?? 0)).plus(tree?.diskBytes ?? tree?.bytes ?? 0) }

        public init(
            name: String, provider: String, path: String, identity: [String: String], moment: Moment,
            durationSeconds: Double, bytes: Int64, files: Int, findings: [Finding], omissions: [Finding],
            checksums: Checksums, databases: [DatabaseContents], cluster: ClusterRecord? = nil,
            tree: TreeContents? = nil
        ) {
            self.name = name
            self.provider = provider
            self.path = path
            self.identity = identity
            self.moment = moment
            self.durationSeconds = durationSeconds
            self.bytes = bytes
            self.files = files
            self.findings = findings
            self.omissions = omissions
            self.checksums = checksums
            self.databases = databases
            self.cluster = cluster
            self.tree = tree
        }
    }

    /// The file that lists a dump's files in the format of `sha256sum -c`, and the SHA-256 of that file itself.
    public struct Checksums: Sendable, Codable, Equatable {
        public var path: String
        public var sha256: String
        public init(path: String, sha256: String) {
            self.path = path
            self.sha256 = sha256
        }
    }

    public init(
        tool: Tool, job: String, runID: RunID, host: String, startedAt: Timestamp, endedAt: Timestamp,
        freeze: FreezeWindow, dumps: [DumpRecord]
    ) {
        self.tool = tool
        self.job = job
        self.runID = runID
        self.host = host
        self.startedAt = startedAt
        self.endedAt = endedAt
        self.freeze = freeze
        self.dumps = dumps
        if dumps.contains(where: { !$0.databases.rowFiles.isEmpty }) { formatVersion = Self.rowsFormatVersion }
    }
}
