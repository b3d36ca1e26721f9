import Documents
import DumpCore
import Staging
import SystemPackage

/// What one run took of one dump.
public struct PastDump: Sendable, Encodable, CustomStringConvertible {
    public var runID: RunID
    public var endedAt: Timestamp
    public var bytes: Int64
    public var durationSeconds: Double

    /// Such as `21.3 MiB in 3.2 s, 2026-11-23 10:32:50 +0000`.
    public var description: String {
        let tenths = max(0, Int64(nearest: durationSeconds * 10))
        return "\(formatBytes(bytes)) in \(tenths / 10).\(tenths % 10) s, \(endedAt.local)"
    }
}

/// What the last runs of a job dumped, from their reports: the measure for the next one.
public struct RunHistory: Sendable {
    /// Runs in which all went well up to the published set, newest first.
    private let runs: [RunReport]

    /// Without any run.
    public init() { runs = [] }

    /// Reads the reports of a staging area; one that is not there has none. A report of another version that cannot be read
    /// is not a measure.
    public init(of staging: FilePath) async throws(StagingError) {
        let reports = try await StagingArea.openExisting(staging)?.reports() ?? []
        runs = reports.compactMap { try? SnakeCaseJSON.decode(RunReport.self, from: $0.bytes) }
            .filter { $0.hasPublished && !$0.dumps.isEmpty }
            .sorted { $0.startedAt > $1.startedAt }
    }

    /// The newest run that took a dump of this name and kind.
    public func last(_ dump: String, _ kind: String) -> PastDump? { past(dump, kind).first }

    /// Bytes of the dump in the last runs, at most five and newest first. Sizes from before the last run whose sizes were accepted
    /// are no longer a measure.
    public func sizes(of dump: String, _ kind: String) -> [Int64] {
        let end = runs.firstIndex { $0.sizesAccepted == true }.map { $0 + 1 } ?? runs.endIndex
        return past(dump, kind, in: runs[..<end]).prefix(Self.measuredRuns).map(\.bytes)
    }

    private static let measuredRuns = 5

    private func past(_ name: String, _ kind: String, in runs: ArraySlice<RunReport>) -> [PastDump] {
        runs.compactMap { run in
            guard let dump = run.dumps.first(where: { $0.name == name && $0.provider == kind }),
                dump.outcome == .done, let bytes = dump.bytes
            else { return nil }
            return PastDump(
                runID: run.runID, endedAt: run.endedAt, bytes: bytes, durationSeconds: dump.durationSeconds)
        }
    }

    private func past(_ name: String, _ kind: String) -> [PastDump] { past(name, kind, in: runs[...]) }
}

extension RunReport {
    /// Whether a set came of it. Reports of before that was noted have a status that tells.
    public var hasPublished: Bool {
        publishedAt != nil || outcome == .done || exitStatus == ExitStatus.archiveFailed.rawValue
    }
}
