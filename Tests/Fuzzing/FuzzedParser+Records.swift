import Directories
import Documents
import DumpCore
import Jobs
import Reporting

@testable import Borg
@testable import Catalog
@testable import Monitoring
@testable import MusterCommands
@testable import Notices
@testable import Restoring

/// What earlier runs, drills and restores have left on record, and all that is made of it: verdicts, metrics, the report page and the status.
extension FuzzedParser {
    static let ofRecords = [
        FuzzedParser("history", [json(run(at: 3))]) { bytes in
            let mutated = try SnakeCaseJSON.decode(RunReport.self, from: bytes)
            show([mutated, run(at: 2), run(at: 1)])
            _ = (RunResult(mutated).lines, mutated.warnings)
        },
        FuzzedParser("drill", [drillRecord]) { bytes in
            let mutated = try SnakeCaseJSON.decode(DrillRecord.self, from: bytes)
            show([run(at: 1)], [drill, mutated])
            _ = (mutated.text, mutated.line, DrillVerdict([mutated]))
        },
        FuzzedParser("confirmed", [ledger]) { bytes in
            show([run(at: 1)], ledgers: ["off": try SnakeCaseJSON.decode(RepositoryLedger.self, from: bytes)])
        },
        FuzzedParser("incidents", [incidents]) { bytes in
            var book = try SnakeCaseJSON.decode(IncidentBook.self, from: bytes)
            let notice = Notice(
                .failure, about: .run, of: job, command: "run", runID: RunID(start: start), subject: "x", text: "y")
            for kind in [IncidentChange.Kind.opened, .ended] {
                _ = book.take(IncidentChange(kind, "run", notice).told(by: job), at: start)
            }
            _ = book.isOpen("run", of: job.name)
        },
        FuzzedParser(
            "kept-tree",
            [#"{"path": "/srv/x", "kept": "/srv/x_before", "since": "2026-11-23T08:01:02.000Z", "inode": 5}"#]
        ) { _ = try SnakeCaseJSON.decode(KeptTree.self, from: $0).kept },
        FuzzedParser("template", [#"{"text": "{subject}", "more": "{error.message} {unknown} {"}"#]) { bytes in
            let template = NoticeTemplate(bytes.text)
            for form in [NoticeBodyForm.json, .form, .plain] {
                _ = (template.unknownNames, template.filled { _ in form.escaped(bytes.text) })
            }
            _ = PingURL(bytes.text)
        }.flat,
    ]

    private static func show(
        _ runs: [RunReport], _ drills: [DrillRecord] = [], ledgers: [String: RepositoryLedger] = [:]
    ) {
        let records = JobRecords(
            job: job, status: JobStatus(job: job.name, staging: job.staging.string, runs: runs), ledgers: ledgers,
            drills: drills)
        let health = JobHealth(records)
        _ = JobMetrics(records, health, contents: nil, tool: tool).text
        _ = ReportPage([.job(ReportMaterial(records))], host: "web1", tool: tool).html
        _ = (JobStatusText(records, health, width: 80).lines, NagiosAnswer(health).text)
        _ = try? SnakeCaseJSON.line(JobStatusDocument(records, health))
    }

    private static let tool = Manifest.Tool(name: "muster", version: "0.1.0")
    private static let start = Timestamp(milliseconds: 1_795_000_000_000)

    private static let job: Job = {
        var settings = RepositorySettings()
        settings.location = "/srv/off"
        var job = Job(
            name: "nightly", file: "/etc/muster/nightly.yaml", staging: "/var/lib/muster/nightly",
            dumps: [Job.Dump(name: "docs", kind: .directory, settings: DirectorySettings())],
            repositories: [Job.Repository(name: "off", settings: settings)])
        job.drill = Job.Drill()
        job.drill?.alertAfter = .seconds(86_400)
        return job
    }()

    private static func json(_ value: some Encodable) -> String {
        (try? SnakeCaseJSON.encode(value)).map { String(decoding: $0, as: UTF8.self) } ?? ""
    }

    private static func run(at day: Int64) -> RunReport {
        let begun = Timestamp(milliseconds: start.milliseconds + day * 86_400_000)
        var run = RunReport(
            tool: tool, command: "run", job: job.name, runID: RunID(start: begun), host: "web1", startedAt: begun)
        let ended = Timestamp(milliseconds: begun.milliseconds + 60_000)
        (run.endedAt, run.publishedAt, run.outcome, run.exitStatus) = (ended, ended, .done, 0)
        var stages = RunReport.StageTimes()
        (stages[.prepare], stages[.dump], stages[.seal], stages[.archive]) = (0.5, 20, 2, 30)
        run.stages = stages
        let finding = Finding(.warning, "file_vanished", object: "/srv/x", "/srv/x vanished", hint: "Look at it.")
        var dump = RunReport.DumpRecord(
            name: "docs", provider: "directory", outcome: .done, durationSeconds: 20, findings: [finding],
            omissions: [finding])
        (dump.bytes, dump.files) = (123_456_789 * day, 12)
        dump.moment = Moment(.window, from: begun, to: ended)
        run.dumps = [dump]
        var archive = RunReport.ArchiveRecord(repository: "off", outcome: .done, durationSeconds: 30)
        (archive.name, archive.storedBytes, archive.confirmationSeconds) = ("web1-nightly", 1_000_000 * day, 3)
        var upkeep = RunReport.UpkeepRecord()
        (upkeep.freedBytes, upkeep.kept) = (5_000, 7)
        archive.upkeep = upkeep
        run.archives = [archive]
        return run
    }

    private static let drill: DrillRecord = {
        let origin = RestoreOrigin(repository: "off", archive: "web1-nightly", runID: RunID(start: start))
        var drill = DrillRecord(
            runID: RunID(start: start), job: job.name, origin: origin, manifestSHA256: digest, tool: tool)
        (drill.startedAt, drill.endedAt, drill.outcome) = (start, start, .proven)
        drill.dumps = [DrillRecord.Dump(name: "docs", provider: "directory", durationSeconds: 12.5)]
        return drill
    }()

    static let drillRecord = json(drill)
    private static let incidents = """
        {"format_version": 1, "incidents": [{"job": "nightly", "key": "run", "opened_at": "2026-11-23T08:01:02.000Z",
        "ended_at": "2026-11-24T08:01:02.000Z", "ended_by": ["run", "dump"], "told": ["phone", "mail"]},
        {"job": "nightly", "key": "drill/off", "opened_at": "2026-11-23T08:01:02.000Z", "told": []}]}
        """
}
