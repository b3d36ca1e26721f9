import DumpCore
import Monitoring
import Reporting
import Restoring

/// A job's status for people: the verdict and its reasons, then dumps and repositories, and the last runs.
struct JobStatusText {
    private let status: JobStatus
    private let drill: DrillRecord?
    private let health: JobHealth
    private let width: Int?

    /// - Parameter width: in columns of a terminal; nil without one.
    init(_ records: JobRecords, _ health: JobHealth, width: Int?) {
        (status, drill, self.health, self.width) = (records.status, records.drills.last, health, width)
    }

    var lines: [String] {
        let parts = [
            health.verdictLines, running, setLines, dumpLines, repositoryLines, drillLines, leftovers, runLines,
        ]
        return Array(parts.filter { !$0.isEmpty }.joined(separator: [""]))
    }

    private var running: [String] {
        let stage = health.running?.stage.map { ", \($0.rawValue)" } ?? ""
        return status.holder.map { ["running now: \($0)\(stage)"] } ?? []
    }

    private var setLines: [String] {
        guard let set = status.set else {
            // What is wrong with it is said already.
            guard status.setError == nil else { return [] }
            return ["no set has been published in \(status.staging)"]
        }
        let bases = set.dumps.compactMap { dump in
            dump.nextBaseBytes.map { bytes in
                let largest = dump.largestBaseBytes.map { ", the largest \(formatBytes($0))" } ?? ""
                return "  \(dump.name): new bases of its tables will store \(formatBytes(bytes)), on several nights"
                    + largest
            }
        }
        return ["set \(set.runID) of \(set.endedAt.local): \(formatBytes(set.bytes)) in \(set.path)"] + bases
    }

    private var dumpLines: [String] {
        let columns = [
            Table.Column(title: "dump"), .init(title: "last success", rank: 1), .init(title: "size", isNumber: true),
            .init(title: "trend", rank: 4), .init(title: "consistency", rank: 2), .init(title: "warnings", rank: 3),
        ]
        return Table(columns: columns, rows: health.dumps.map { row(of: $0) }).lines(width: width)
    }

    private func row(of dump: DumpHealth) -> [String] {
        let warnings = (dump.findings + dump.omissions).count { $0.severity != .note }
        let success = dump.lastSuccess
        return [
            dump.name, success.map { health.age(of: $0.at) } ?? "never", success.map { formatBytes($0.bytes) } ?? "-",
            Sparkline(dump.sizes).text, success?.moment?.shortText ?? "-", warnings == 0 ? "-" : "\(warnings)",
        ]
    }

    private var repositoryLines: [String] {
        guard !health.repositories.isEmpty else { return [] }
        let columns = [
            Table.Column(title: "repository"), .init(title: "last archive"), .init(title: "name", rank: 3),
            .init(title: "new", rank: 1, isNumber: true), .init(title: "trend", rank: 4),
            .init(title: "last check", rank: 2),
        ]
        return Table(columns: columns, rows: health.repositories.map { row(of: $0) }).lines(width: width)
    }

    private func row(of repository: RepositoryHealth) -> [String] {
        [
            repository.name, repository.lastConfirmed.map { health.age(of: $0.at) } ?? "never",
            repository.lastConfirmed?.archive ?? "-", repository.storedBytes.last.map { formatBytes($0) } ?? "-",
            Sparkline(repository.storedBytes).text, repository.lastCheckAt.map { health.age(of: $0) } ?? "never",
        ]
    }

    private var drillLines: [String] {
        if let drill { return [drill.line] }
        return health.drill == nil ? [] : ["no drill was held on this host"]
    }

    private var runLines: [String] {
        status.runs.prefix(5).map { run in "\(run.command) \(run.runID) \(run.ending)" }
    }

    private var leftovers: [String] {
        var lines: [String] = []
        for undoing in status.toUndo {
            guard let record = undoing.record else { continue }
            lines.append(
                record.isKept == true
                    ? "kept for Borg by run \(record.run): \(record.kind) of dump \(record.dump) (muster release)"
                    : "left by run \(record.run), to be undone: \(record.kind) of dump \(record.dump) (muster undo)")
            lines += undoing.details
        }
        lines += status.lost.map {
            "lost, although Borg should read it: \($0.kind) of dump \($0.dump) of run \($0.run) (muster release)"
        }
        lines += status.unfinished.map {
            "left by \($0.command) of \($0.at.local), which was killed: \($0.path) (remove it)"
        }
        return lines + status.unreadable
    }
}

extension RunReport {
    fileprivate var ending: String {
        let during = stage.map { ", \($0.rawValue)" } ?? ""
        return switch outcome {
        case .running: "began \(startedAt.local): running\(during)"
        case .noResult: "began \(startedAt.local): ended without a result\(during)"
        case .done, .failed, .interrupted:
            "ended \(endedAt.local): \(outcome.rawValue)" + warningsText + (error.map { ": \($0.message)" } ?? "")
        }
    }

    private var warningsText: String {
        let count = warnings.count
        return count == 0 ? "" : ", \(count) warning\(count == 1 ? "" : "s")"
    }
}

extension Moment {
    /// In two or three words, for a column.
    var shortText: String {
        switch kind {
        case .exact: "one instant"
        case .window: "within \(Duration.milliseconds(to.milliseconds - from.milliseconds).settingsText)"
        case .live: "read live"
        }
    }
}
