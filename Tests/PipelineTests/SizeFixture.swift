import DumpCore
import Linux
import Logging
import Staging
import SystemPackage
import TestSupport

@testable import Jobs
@testable import Pipeline
@testable import Reporting

/// A job with one dump, `app`, whose staging area holds the reports of earlier runs.
struct SizeFixture {
    let scratch: FilePath
    let area: StagingArea

    static func with(_ body: (SizeFixture) async throws -> Void) async throws {
        try await withScratch { scratch in
            try await body(
                SizeFixture(scratch: scratch, area: StagingArea.open(scratch.appending("staging"))))
        }
    }

    func job(_ bytes: Int, _ rule: AnomalyRule = AnomalyRule()) -> ReadyJob {
        ReadyJob(
            name: "nightly", host: "here", staging: area.root, parallel: 1, anomalies: rule,
            sources: [ReadyJob.Source(name: "app", kind: "bytes", provider: BytesProvider(count: bytes))])
    }

    func run(_ bytes: Int, _ rule: AnomalyRule = AnomalyRule(), accepting: Bool = false) -> Run {
        Run(
            job(bytes, rule), tool: .init(name: "test", version: "0"), acceptsSizes: accepting, log: .silent)
    }

    /// Reports as runs left them that dumped so many bytes, oldest first, days ago.
    func remember(
        _ sizes: Int64..., provider: String = "bytes", exitStatus: Int32 = 0, accepted: Bool? = nil
    ) async throws {
        for bytes in sizes {
            let number = try await area.reports().count
            let start = Timestamp(milliseconds: 1_700_000_000_000 + Int64(number) * 86_400_000)
            var report = RunReport(
                tool: .init(name: "test", version: "0"), command: "dump", job: "nightly", runID: RunID(start: start),
                host: "here", startedAt: start)
            report.outcome = exitStatus == 0 ? .done : .failed
            report.exitStatus = exitStatus
            report.sizesAccepted = accepted
            var dump = RunReport.DumpRecord(
                name: "app", provider: provider, outcome: .done, durationSeconds: 2.5, findings: [], omissions: [])
            dump.bytes = bytes
            report.dumps = [dump]
            try await area.writeReport(report, of: report.runID)
        }
    }

    /// The codes of what the job's next run, of so many bytes, finds.
    func codes(_ bytes: Int, _ rule: AnomalyRule = AnomalyRule()) async -> [String] {
        let ended = await run(bytes, rule).perform(.dump)
        return ended.report.dumps.flatMap(\.findings).map(\.code)
    }

    func currentFingerprint() throws -> [String] {
        try FileTree(area.current).entries().map {
            "\($0.path) \($0.status.inode) \($0.status.bytes) \($0.status.modified)"
        }
    }
}
