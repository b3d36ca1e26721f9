import Borg
import Directories
import DumpCore
import Jobs
import Settings
import SystemPackage

@testable import Catalog
@testable import Monitoring
@testable import Reporting
@testable import Restoring

/// A job with the dump `app` and the repository `offsite`, and what is on record of it: runs of one a day, told oldest first.
struct JobFixture {
    var job: Job
    var runs: [RunReport] = []
    var ledger = RepositoryLedger()
    var drills: [DrillRecord] = []
    /// Whether the newest set that was published is still there.
    var hasSet = true
    /// When the next run begins.
    var clock = Self.start

    static let start = Timestamp(milliseconds: 1_790_000_000_000)
    static let day: Int64 = 86_400_000

    init(alertAfter: Duration? = nil) {
        var settings = RepositorySettings()
        settings.location = "/srv/borg"
        job = Job(
            name: "nightly", file: "/etc/muster/nightly.yaml", staging: "/var/lib/muster/nightly",
            dumps: [Job.Dump(name: "app", kind: .directory, settings: DirectorySettings())],
            repositories: [Job.Repository(name: "offsite", settings: settings)])
        job.alertAfter = alertAfter
    }

    /// A run that took a minute, and a day without another.
    @discardableResult
    mutating func run(
        _ command: RunReport.Part = .run, outcome: RunReport.Outcome = .done, bytes: Int64 = 1_000,
        _ change: (inout RunReport) -> Void = { _ in }
    ) -> RunReport {
        var report = RunReport(
            tool: .init(name: "muster", version: "0"), command: command.rawValue, job: job.name,
            runID: RunID(start: clock), host: "here", startedAt: clock)
        let end = Timestamp(milliseconds: clock.milliseconds + 60_000)
        (report.endedAt, report.outcome, report.exitStatus) = (end, outcome, outcome == .done ? 0 : nil)
        if outcome == .done, command != .archive {
            report.publishedAt = end
            report.dumps = [Self.dump(bytes)]
        }
        change(&report)
        runs.append(report)
        clock = Timestamp(milliseconds: clock.milliseconds + Self.day)
        return report
    }

    /// A run whose set is archived, and the archive confirmed.
    mutating func goodRun(bytes: Int64 = 1_000, stored: Int64 = 100) {
        let report = run(bytes: bytes) { report in
            var archive = RunReport.ArchiveRecord(repository: "offsite", outcome: .done, durationSeconds: 2)
            archive.storedBytes = stored
            report.archives = [archive]
        }
        confirm(report)
    }

    /// A run whose set is published, and whose archive failed.
    mutating func runWithoutArchive() {
        run(outcome: .failed) { report in
            (report.publishedAt, report.exitStatus, report.dumps) = (report.endedAt, 4, [Self.dump(1_000)])
            var archive = RunReport.ArchiveRecord(repository: "offsite", outcome: .failed, durationSeconds: 2)
            archive.error = RunReport.ErrorRecord(Fault.connection)
            (report.archives, report.error) = ([archive], archive.error)
        }
    }

    mutating func confirm(_ run: RunReport) {
        ledger.confirmed.append(
            RepositoryLedger.Confirmed(
                archive: "here-nightly-\(run.startedAt)", id: "\(ledger.confirmed.count)", runID: run.runID,
                confirmedAt: run.endedAt, number: ledger.confirmed.count + 1))
    }

    static func dump(_ bytes: Int64, findings: [Finding] = []) -> RunReport.DumpRecord {
        var dump = RunReport.DumpRecord(
            name: "app", provider: "directory", outcome: .done, durationSeconds: 3, findings: findings, omissions: [])
        (dump.bytes, dump.files) = (bytes, 2)
        return dump
    }

    mutating func drill(_ outcome: DrillRecord.Outcome) {
        var drill = DrillRecord(
            runID: RunID(start: clock), job: job.name, origin: RestoreOrigin(archive: "a", runID: RunID(start: clock)),
            manifestSHA256: "0", tool: .init(name: "muster", version: "0"))
        (drill.startedAt, drill.endedAt, drill.outcome) = (clock, clock, outcome)
        drills.append(drill)
    }

    var records: JobRecords {
        var status = JobStatus(job: job.name, staging: job.staging.string, runs: runs.reversed())
        if hasSet, let run = runs.last(where: { $0.publishedAt != nil }) {
            status.set = JobStatus.SetSummary(
                path: "/var/lib/muster/nightly/current", runID: run.runID, endedAt: run.startedAt, bytes: 1_000,
                dumps: [])
        }
        return JobRecords(job: job, status: status, ledgers: ["offsite": ledger], drills: drills)
    }

    /// - Parameter hours: since the newest run began.
    func health(hoursLater hours: Int64 = 1) -> JobHealth {
        JobHealth(records, at: Timestamp(milliseconds: clock.milliseconds - Self.day + hours * 3_600_000))
    }

    /// What is wrong, in words for scripts: the worst first.
    func codes(hoursLater hours: Int64 = 1) -> [String] { health(hoursLater: hours).reasons.map(\.code) }
}

/// Errors as runs end with.
enum Fault: String, OperatorError {
    case connection, dump

    var codeName: String { "fault_\(rawValue)" }
    var message: String { "the \(rawValue) is gone" }
    var hint: String? { "Mend the \(rawValue)." }
    var context: ErrorContext { [:] }
}
