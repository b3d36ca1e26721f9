import DumpCore
import SystemPackage
import TestSupport
import Testing

@testable import Catalog
@testable import Jobs
@testable import Monitoring
@testable import Reporting
@testable import Restoring

@Suite("Metrics of generated histories")
struct MetricsHistoryTests {
    @Test("are read by a real node exporter, each file of them, and every number equals the run reports'")
    func exported() async throws {
        let seed = UInt64.random(in: .min ... .max)
        var random = Seeded(seed: seed)
        var histories = (0..<30).map { MadeHistory(job: "job-\($0)", by: &random) }
        // Numbers that no file of metrics can have a problem with; a hundred of them can be one for a reader.
        histories.append(MadeHistory(job: "hundred", databases: 100, by: &random))
        try await withScratch { scratch in
            for history in histories {
                try write(
                    history.metrics.text, to: scratch.appending("muster-\(history.records.job.name).prom"),
                    mode: [.ownerReadWrite, .groupRead, .otherRead])
            }
            // Not for it: a draft.
            try write("half a li", to: scratch.appending(".muster-x.prom.1.tmp"))
            let exposed = try await NodeExporter.with(reading: scratch) { try await $0.scrape() }
            #expect(exposed.contains(ExposedSeries("node_textfile_scrape_error", [:], 0)), "seed \(seed)")
            for history in histories {
                let name = history.records.job.name
                let series = Set(exposed.filter { $0.labels["backup_job"] == name })
                #expect(series == Set(try ExposedSeries.all(in: history.metrics.text)), "\(name), seed \(seed)")
                let missing = history.expected.subtracting(series)
                #expect(missing.isEmpty, "\(name), seed \(seed): \(missing)")
                for series in series {
                    #expect(series.labels["job"] == nil && !series.name.contains("_age_"), "\(series)")
                }
            }
        }
    }

    @Test("of a job that cannot be read say that it failed, and why")
    func unreadable() throws {
        let reason = Finding(.failure, "damaged_set", object: "nightly", "the set is damaged")
        let metrics = JobMetrics(unreadable: reason, job: "nightly", tool: MadeHistory.tool)
        let series = Set(try ExposedSeries.all(in: metrics.text))
        #expect(
            series.contains(ExposedSeries("muster_job_verdict", ["backup_job": "nightly", "verdict": "failed"], 1)))
        #expect(
            series.contains(
                ExposedSeries(
                    "muster_job_reasons", ["backup_job": "nightly", "code": "damaged_set", "severity": "failure"], 1)))
    }

    @Test("of several jobs have each explanation once")
    func several() throws {
        var random = Seeded(seed: 3)
        let histories = ["a", "b", "c"].map { MadeHistory(job: $0, by: &random) }
        let lines = JobMetrics.text(of: histories.map(\.metrics)).split(separator: "\n").filter { $0.hasPrefix("#") }
        #expect(lines.count > 20 && Set(lines).count == lines.count)
        let each = try histories.flatMap { try ExposedSeries.all(in: $0.metrics.text) }
        #expect(Set(try ExposedSeries.all(in: JobMetrics.text(of: histories.map(\.metrics)))) == Set(each))
    }
}

/// What the metrics must say at least, told once more from the reports.
extension MadeHistory {
    fileprivate var expected: Set<ExposedSeries> {
        Set(ofRuns + records.job.dumps.flatMap(series) + records.job.repositories.flatMap(series) + ofDrills)
    }

    private func series(_ name: String, _ value: Double?) -> ExposedSeries? { series(name, [:], value) }

    private func series(_ name: String, _ labels: [String: String], _ value: Double?) -> ExposedSeries? {
        value.map {
            ExposedSeries("muster_" + name, labels.merging(["backup_job": records.job.name]) { first, _ in first }, $0)
        }
    }

    private var ofRuns: [ExposedSeries] {
        let runs = records.status.runs
        var all = [
            series("job_last_run_start_timestamp_seconds", runs.first?.startedAt.inSeconds),
            series("job_running", runs.first?.outcome == .running ? 1 : 0),
        ]
        if let last = runs.first(where: { $0.outcome != .running }) {
            all += [
                series("job_last_run_success", last.outcome == .done ? 1 : 0),
                series("job_last_run_outcome", ["outcome": last.outcome.rawValue], 1),
                series("job_last_run_exit_status", last.exitStatus.map(Double.init)),
                series("job_last_run_end_timestamp_seconds", last.endedAt.inSeconds),
                series("job_last_run_duration_seconds", last.endedAt.seconds(since: last.startedAt)),
                series("job_last_run_stage_duration_seconds", ["stage": "prepare"], last.stages?.prepareSeconds),
                series("job_last_run_stage_duration_seconds", ["stage": "archive"], last.stages?.archiveSeconds),
            ]
        }
        if let good = runs.first(where: { $0.publishedAt != nil }) {
            all += [
                series("job_last_success_timestamp_seconds", good.publishedAt?.inSeconds),
                series("set_bytes", good.set.map { Double($0.bytes) }),
                series("set_files", good.set.map { Double($0.files) }),
            ]
        }
        return all.compactMap(\.self)
    }

    private func series(_ dump: Job.Dump) -> [ExposedSeries] {
        let name = ["dump": dump.name]
        let runs = records.status.runs.filter { $0.outcome != .running }
        var all: [ExposedSeries?] = []
        if let last = runs.first, let taken = last.dumps.first(where: { $0.name == dump.name }) {
            all.append(series("dump_last_attempt_success", name, taken.outcome == .done ? 1 : 0))
            all.append(series("dump_last_attempt_timestamp_seconds", name, last.startedAt.inSeconds))
            all.append(series("dump_warnings", name, 1))
            for severity in ["note", "warning"] {
                let count = taken.omissions.count { $0.severity.rawValue == severity }
                let labels = ["code": "excluded", "severity": severity].merging(name) { $1 }
                all.append(series("dump_omissions", labels, count == 0 ? nil : Double(count)))
            }
        }
        guard let good = runs.first(where: { $0.publishedAt != nil }),
            let taken = good.dumps.first(where: { $0.name == dump.name }), let moment = taken.moment
        else { return all.compactMap(\.self) }
        all += [
            series("dump_last_success_timestamp_seconds", name, good.endedAt.inSeconds),
            series("dump_bytes", name, taken.bytes.map(Double.init)),
            series("dump_files", name, taken.files.map(Double.init)),
            series("dump_duration_seconds", name, taken.durationSeconds),
            series("dump_consistency", ["kind": moment.kind.rawValue].merging(name) { $1 }, 1),
            series("dump_consistency_window_seconds", name, moment.kind == .exact ? 0 : 1.234),
            series("dump_replay_paused_seconds", name, moment.evidence.isEmpty ? nil : 12.5),
        ]
        for database in contents?.manifest.dumps.first(where: { $0.name == dump.name })?.databases ?? [] {
            let labels = ["database": database.name].merging(name) { $1 }
            all.append(series("database_rows", labels, Double(database.tables.map(\.rows).reduce(0, +))))
            all.append(series("database_tables", labels, Double(database.tables.count)))
            let bytes = contents?.databaseBytes[dump.name]?[database.name]
            all.append(series("database_bytes", labels, bytes.map(Double.init)))
        }
        return all.compactMap(\.self)
    }

    private func series(_ repository: Job.Repository) -> [ExposedSeries] {
        let name = ["repository": repository.name]
        let runs = records.status.runs.filter { $0.outcome != .running }
        let ledger = records.ledgers[repository.name]
        var all = [
            series("repository_archives", name, ledger.map { Double($0.confirmed.count) }),
            series("repository_last_check_timestamp_seconds", name, ledger?.lastCheckAt?.inSeconds),
        ]
        if let last = runs.first(where: { !$0.archives.isEmpty }) {
            all.append(series("repository_last_attempt_success", name, last.outcome == .done ? 1 : 0))
        }
        if let good = runs.first(where: { $0.outcome == .done })?.archives.first(where: {
            $0.repository == repository.name
        }) {
            all += [
                series("repository_archive_duration_seconds", name, good.durationSeconds),
                series("repository_confirmation_duration_seconds", name, good.confirmationSeconds),
                series("repository_stored_bytes", name, good.storedBytes.map(Double.init)),
                series("repository_upkeep_success", name, good.upkeep == nil ? nil : 1),
                series("repository_freed_bytes", name, good.upkeep == nil ? nil : 4711),
            ]
        }
        return all.compactMap(\.self)
    }

    private var ofDrills: [ExposedSeries] {
        let proven = records.drills.last { $0.outcome == .proven }
        return [
            series("drill_last_timestamp_seconds", records.drills.last?.endedAt.inSeconds),
            series("drill_last_success", records.drills.last.map { $0.outcome == .failed ? 0 : 1 }),
            series("drill_restore_duration_seconds", proven.map { $0.endedAt.seconds(since: $0.startedAt) }),
        ].compactMap(\.self)
    }
}

extension Timestamp {
    fileprivate var inSeconds: Double { Double(milliseconds) / 1000 }
}
