import DumpCore
import Reporting

extension Examination {
    /// What there is to say of each part, and the verdict, which a quiet check gives only if it is bad.
    func lines(quiet: Bool) -> [String] {
        parts.flatMap { $0.lines(quiet: quiet) } + (quiet && ready ? [] : [verdict])
    }
}

extension Examination.Part {
    /// A line for the part, one for each fact, then one for each finding and each omission, the most severe first.
    func lines(quiet: Bool) -> [String] {
        let omissions = Self.lines(omissions, quiet: quiet).map { "  " + $0 }
        return (quiet ? [] : [heading] + allFacts.alignedLines) + Self.lines(findings, quiet: quiet)
            + (omissions.isEmpty ? [] : ["  not in dump \(name):"] + omissions)
    }

    private static func lines(_ findings: [Finding], quiet: Bool) -> [String] {
        findings.filter { !quiet || $0.severity > .note }.sorted { $0.severity > $1.severity }.map { finding in
            "  \(finding.severity.rawValue): \(finding.message) [\(finding.code)]"
                + (finding.hint.map { " — \($0)" } ?? "")
        }
    }

    private var heading: String {
        let size = estimatedBytes.map { ", about \(formatBytes($0))" } ?? ""
        let verdict = reachable == false ? "not reachable" : isReady ? "ready" : "not ready"
        return "\(kind.rawValue) \(name): \(verdict)\(size)"
    }

    private var allFacts: ErrorContext {
        var all = facts ?? [:]
        if kind == .dump, reachable == true { all["last_run"] = lastRun?.description ?? "none yet" }
        if let expectedBytes { all["expected"] = formatBytes(expectedBytes) }
        if let freeBytes { all["free"] = formatBytes(freeBytes) }
        return all
    }
}
