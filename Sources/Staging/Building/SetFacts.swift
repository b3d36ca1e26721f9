import DumpCore

/// What a run knows of its set besides the dumps, for the manifest.
public struct SetFacts: Sendable {
    public var tool: Manifest.Tool
    public var job: String
    public var host: String
    public var startedAt: Timestamp

    public init(tool: Manifest.Tool, job: String, host: String, startedAt: Timestamp) {
        self.tool = tool
        self.job = job
        self.host = host
        self.startedAt = startedAt
    }
}

/// A dump that its provider has completed.
public struct FinishedDump: Sendable {
    public var name: String
    /// Its kind, as job files name it.
    public var provider: String
    public var durationSeconds: Double
    public var summary: DumpSummary
    /// The digest of what lists the files of the dump in the current set. Nil without such a dump.
    public var formerListSHA256: String?

    public init(
        name: String, provider: String, durationSeconds: Double, summary: DumpSummary, formerListSHA256: String? = nil
    ) {
        self.name = name
        self.provider = provider
        self.durationSeconds = durationSeconds
        self.summary = summary
        self.formerListSHA256 = formerListSHA256
    }
}

/// How much of a set was the same as in the one before and was not stored again.
public struct Reuse: Sendable, Hashable {
    public var files: Int
    public var bytes: Int64
    /// Why nothing could be reused although there is a set, for the log.
    public var hindrance: String?
}
