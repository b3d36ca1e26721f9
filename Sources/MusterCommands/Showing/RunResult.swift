import DumpCore
import Monitoring
import Reporting

/// What a person reads after a run: the verdict, one line per dump and per archive, the set, and the warnings. What went wrong follows as the
/// error of the command.
struct RunResult {
    private let report: RunReport
    /// Warnings about the dumps that are not shown yet, each on a line.
    private let warnings: [String]

    init(_ report: RunReport, warnings: [String] = []) { (self.report, self.warnings) = (report, warnings) }

    var lines: [String] {
        [verdictLine] + report.dumps.map(line) + setLines + report.archives.map(line)
            + warnings.flatMap(line)
    }

    /// Such as `OK nightly: 2 dumps, 12.3 MiB, 1 archive confirmed, in 34 s`.
    var verdictLine: String {
        let parts = report.outcome == .done ? doneParts : [meaning]
        return "\(verdict.word) \(report.job): " + parts.joined(separator: ", ")
    }

    private var verdict: Verdict {
        switch report.outcome {
        case .done:
            warningCount > 0 ? .warning : .ok
        case .interrupted: .warning
        case .failed, .running, .noResult: .failed
        }
    }

    private var warningCount: Int { report.dumps.flatMap(\.remarks).count { $0.severity == .warning } }

    private var doneParts: [String] {
        var parts: [String] = []
        if !report.dumps.isEmpty {
            parts.append("\(report.dumps.count.of("dump")), \(formatBytes(report.set?.bytes ?? 0))")
        }
        if !report.archives.isEmpty { parts.append("\(report.archives.count.of("archive")) confirmed") }
        if warningCount > 0 { parts.append(warningCount.of("warning")) }
        return parts + ["in \(shortDuration(Int64(nearest: report.endedAt.seconds(since: report.startedAt))))"]
    }

    private var meaning: String {
        if report.outcome == .interrupted {
            return report.publishedAt == nil ? "nothing was published" : "the set is published"
        }
        return report.exitStatus.flatMap(ExitStatus.init)?.meaning ?? report.outcome.rawValue
    }

    private func line(_ dump: RunReport.DumpRecord) -> String {
        guard dump.outcome == .done else { return "dump \(dump.name): \(dump.error == nil ? "not taken" : "failed")" }
        return
            "dump \(dump.name): \(formatBytes(dump.bytes ?? 0)) in \(dump.files ?? 0) files, \(dump.moment?.text ?? "")"
    }

    /// With what to do about it.
    private func line(_ warning: String) -> [String] {
        let hints = report.dumps.flatMap { dump in
            dump.remarks.filter { Finding.sentence($0.message, of: dump.name).onOneLine == warning }
                .compactMap(\.hint)
        }
        return ["warning: \(warning)"] + hints.prefix(1).map { "  \($0)" }
    }

    private var setLines: [String] {
        guard let set = report.set, report.publishedAt != nil || report.outcome == .done else { return [] }
        let files = set.reusedFiles == 1 ? "file" : "files"
        let reused = set.reusedFiles > 0 ? ", \(set.reusedFiles) \(files) unchanged" : ""
        return ["set \(set.runID): \(formatBytes(set.bytes)) in \(set.path)\(reused)"]
    }

    private func line(_ archive: RunReport.ArchiveRecord) -> String {
        guard archive.outcome == .done else {
            return "archive in \(archive.repository): \(report.outcome == .interrupted ? "not finished" : "failed")"
        }
        return "archive \(archive.name ?? "") in \(archive.repository): confirmed"
            + (archive.storedBytes.map { ", \(formatBytes($0)) new" } ?? "")
            + (archive.upkeep.map { "; \($0.text)" } ?? "")
    }
}

extension Int {
    /// `1 dump`, `2 dumps`.
    fileprivate func of(_ noun: String) -> String { "\(self) \(noun)\(self == 1 ? "" : "s")" }
}
