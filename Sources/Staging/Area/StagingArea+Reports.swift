import Documents
import DumpCore
import Linux
import SystemPackage

/// The report of one run, as its file holds it.
public struct StoredReport: Sendable, Hashable {
    public var run: RunID
    /// JSON.
    public var bytes: [UInt8]
}

extension StagingArea {
    /// How many run reports are kept.
    static let keptReports = 200

    /// Writes the report of a run, or replaces it as a whole, and removes all but the newest 200.
    ///
    /// Needs no lock: a run that did not get it has a report too. On return the report is on disk.
    public func writeReport(_ report: some Encodable & Sendable, of run: RunID) async throws(StagingError) {
        let path = reportFile(of: run)
        let area = self
        try await onOwnThread { () throws(StagingError) in
            try SmallFile(path).replace(attempting(to: "encode", path) { try SnakeCaseJSON.encode(report) })
            try area.removeOldReports()
        }
    }

    /// Where the report of a run is, if it has one.
    public func reportFile(of run: RunID) -> FilePath { runs.appending("\(run)\(Self.reportSuffix)") }

    /// All reports, newest run first.
    public func reports() async throws(StagingError) -> [StoredReport] {
        let area = self
        return try await onOwnThread { () throws(StagingError) in
            var reports: [(report: StoredReport, writtenAt: Int64)] = []
            for (name, run) in try area.reportFiles() where name.string == "\(run)\(Self.reportSuffix)" {
                let path = area.runs.appending(name)
                // Another run may remove old ones at this moment.
                guard let status = try? FileSystem.status(of: path), let bytes = try SmallFile(path).read() else {
                    continue
                }
                reports.append((StoredReport(run: run, bytes: bytes), status.modified))
            }
            // A run's id knows its second only, and two short runs may share one.
            return reports.sorted { one, other in
                (one.report.run.second, one.writtenAt, one.report.run.description)
                    > (other.report.run.second, other.writtenAt, other.report.run.description)
            }.map(\.report)
        }
    }

    private static let reportSuffix = ".json"

    /// Counts runs, so that what a crash left of a report that was never completed goes with the run's turn.
    private func removeOldReports() throws(StagingError) {
        let files = try reportFiles()
        let kept = Set(Set(files.map(\.run.description)).sorted().suffix(Self.keptReports))
        for (name, run) in files where !kept.contains(run.description) {
            let path = runs.appending(name)
            try attempting(to: "remove", path) { try FileSystem.removeFile(path) }
        }
    }

    /// The files whose names begin with a run id, newest run first. Nothing else there is ours.
    private func reportFiles() throws(StagingError) -> [(name: FilePath.Component, run: RunID)] {
        try attempting(to: "list", runs) { try FileSystem.names(in: runs) }.reversed().compactMap { name in
            guard name.string.hasSuffix(Self.reportSuffix) || name.string.hasSuffix(SmallFile.unfinished),
                let run = RunID(String(name.string.prefix { $0 != "." }))
            else { return nil }
            return (name, run)
        }
    }
}

extension RunID {
    /// Its part that tells when it began, by which ids sort.
    fileprivate var second: String { String(description.prefix(16)) }
}
