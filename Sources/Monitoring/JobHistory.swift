import DumpCore
import Reporting

/// The runs of a job that are on record, newest first, and which of them count for what.
struct JobHistory: Sendable {
    let runs: [RunReport]

    /// The newest of those that are dated ahead of the clock, which say nothing of what came last.
    private(set) var ahead: RunReport?

    init(_ runs: [RunReport]) { self.runs = runs }

    /// - Parameter now: runs that are dated after it do not count, but for what a clock may be off.
    init(_ runs: [RunReport], until now: Timestamp) {
        let isAhead = { (run: RunReport) in run.startedAt.isAhead(of: now) }
        self.runs = runs.filter { !isAhead($0) }
        ahead = runs.first(where: isAhead)
    }

    var running: RunReport? { runs.first { $0.outcome == .running } }
    /// Those that were killed, too.
    var ended: [RunReport] { runs.filter { $0.outcome != .running } }
    /// A set came of them.
    var published: [RunReport] { runs.filter { $0.hasPublished && $0.takesDumps } }
    /// The newest that has ended and was to take dumps.
    var lastDumping: RunReport? { ended.first(where: \.takesDumps) }

    /// What became of a dump of this name and kind, newest first.
    func attempts(of name: String, _ kind: String) -> [(run: RunReport, dump: RunReport.DumpRecord)] {
        ended.compactMap { run in
            run.dumps.first { $0.name == name && $0.provider == kind }.map { (run, $0) }
        }
    }

    func attempts(in repository: String) -> [(run: RunReport, archive: RunReport.ArchiveRecord)] {
        ended.compactMap { run in run.archives.first { $0.repository == repository }.map { (run, $0) } }
    }
}

extension Timestamp {
    /// By more than the clocks of two moments may differ.
    func isAhead(of now: Timestamp) -> Bool { seconds(since: now) > 300 }
}

extension RunReport {
    var takesDumps: Bool { command != Part.archive.rawValue }

    /// When its set was published.
    var succeededAt: Timestamp { publishedAt ?? endedAt }
}
