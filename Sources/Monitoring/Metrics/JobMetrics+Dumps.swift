import DumpCore
import Jobs
import Reporting

extension JobMetrics {
    mutating func add(_ dump: Job.Dump, _ history: JobHistory, _ contents: SetContents?) {
        let attempts = history.attempts(of: dump.name, dump.kind.name)
        add(.dumpInfo, 1, dump.name, dump.kind.name)
        if let last = attempts.first {
            add(.dumpLastAttempt, last.run.startedAt, dump.name)
            add(.dumpLastAttemptSuccess, last.dump.outcome == .done, dump.name)
            add(.dumpWarnings, last.dump.findings.count { $0.severity != .note }, dump.name)
            addCounts(.dumpOmissions, last.dump.omissions, dump.name)
        }
        // As `DumpHealth` has it.
        guard let success = attempts.first(where: { $0.run.hasPublished && $0.dump.bytes != nil }) else { return }
        add(.dumpLastSuccess, success.run.succeededAt, dump.name)
        add(.dumpDuration, success.dump.durationSeconds, dump.name)
        add(.dumpBytes, success.dump.bytes, dump.name)
        add(.dumpFiles, success.dump.files, dump.name)
        success.dump.moment.map { add($0, dump.name) }
        guard let contents, let record = contents.manifest.dumps.first(where: { $0.name == dump.name }) else { return }
        let publishing = history.runs.first { $0.runID == contents.manifest.runID && $0.takesDumps }
        add(
            record.databases, of: dump.name, contents.databaseBytes[dump.name] ?? [:],
            publishedAt: publishing?.succeededAt ?? contents.manifest.endedAt)
    }

    private mutating func add(_ moment: Moment, _ dump: String) {
        let kinds: [Moment.Kind] = [.exact, .window, .live]
        add(.dumpConsistency, stateOf: moment.kind.rawValue, among: kinds.map(\.rawValue), dump)
        let window = moment.kind == .exact ? 0 : max(0, moment.to.seconds(since: moment.from))
        add(.dumpConsistencyWindow, window, dump)
        add(.dumpReplayPaused, moment.evidence["replay_paused_seconds"].flatMap(Double.init), dump)
    }

    private mutating func add(
        _ databases: [DatabaseContents], of dump: String, _ bytes: [String: Int64], publishedAt time: Timestamp
    ) {
        guard !databases.isEmpty else { return }
        add(.dumpRows, databases.lazy.map(\.rows).total, dump)
        for database in databases {
            add(.databaseLastSuccess, time, dump, database.name)
            add(.databaseBytes, bytes[database.name], dump, database.name)
            add(.databaseRows, database.rows, dump, database.name)
            add(.databaseTables, database.tables.count, dump, database.name)
        }
    }
}

extension DatabaseContents {
    fileprivate var rows: Int64 { tables.lazy.map(\.rows).total }
}
