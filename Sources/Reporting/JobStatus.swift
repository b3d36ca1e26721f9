import Documents
import DumpCore
import Staging
import SystemPackage

/// What a staging area says of its job: the published set, who is at work, how the last runs ended.
public struct JobStatus: Sendable, Codable {
    public struct SetSummary: Sendable, Codable {
        public struct Dump: Sendable, Codable {
            public var name: String
            public var bytes: Int64
            public var files: Int
            /// What the tables take that are stored as rows, when all of them are stored whole again. Nil without any.
            public var nextBaseBytes: Int64?
            /// What the largest of these takes.
            public var largestBaseBytes: Int64?
        }

        public var path: String
        public var runID: RunID
        public var endedAt: Timestamp
        public var bytes: Int64
        public var dumps: [Dump]
    }

    public var job: String
    public var staging: String
    public var set: SetSummary?
    /// Why the published set cannot be understood.
    public var setError: RunReport.ErrorRecord?
    /// Who holds the lock, in words, if anyone does.
    public var holder: String?
    /// What dead runs have left and is not undone yet, newest first.
    public var toUndo: [Undoing] = []
    /// What was kept for a Borg outside of Muster, and was no longer whole when another run released it. `muster release` tells.
    public var lost: [UndoRecord] = []
    /// What killed commands have left beside their targets.
    public var unfinished: [UnfinishedDirectory] = []
    /// What is on record there too and cannot be read, each in a sentence.
    public var unreadable: [String] = []
    /// All that are on record, newest first.
    public var runs: [RunReport]

    /// With nothing on record.
    public init(job: String, staging: String, runs: [RunReport] = []) {
        self.job = job
        self.staging = staging
        self.runs = runs
    }

    /// Reads it all; changes nothing. A staging area that is not there yet has no set and no runs.
    public init(job: String, staging: FilePath) async throws {
        self.job = job
        self.staging = staging.string
        guard let area = try await StagingArea.openExisting(staging) else {
            runs = []
            return
        }
        holder = try await area.lockHolder()
        toUndo = try await area.undoRecords().map { Undoing($0, in: area) }
        lost = try await area.lostRecords()
        unfinished = try await area.unfinishedDirectories()
        unreadable = try await area.unreadableUndoRecords().map(\.message)
        // A report of another version that can no longer be read is not news.
        runs = try await area.reports().compactMap {
            try? SnakeCaseJSON.decode(RunReport.self, from: $0.bytes).asOfNow
        }
        do throws(StagingError) {
            set = try await area.currentManifest().map { SetSummary($0, in: area.current) }
        } catch {
            setError = RunReport.ErrorRecord(error)
        }
    }
}

extension JobStatus.SetSummary {
    fileprivate init(_ manifest: Manifest, in root: FilePath) {
        self.init(
            path: root.string, runID: manifest.runID, endedAt: manifest.endedAt, bytes: manifest.archivedBytes,
            dumps: manifest.dumps.map { dump in
                let tables = dump.databases.rowFiles
                return Dump(
                    name: dump.name, bytes: dump.archivedBytes, files: dump.files,
                    nextBaseBytes: tables.isEmpty ? nil : tables.map(\.table.bytes).total,
                    largestBaseBytes: tables.map(\.table.bytes).max())
            })
    }
}
