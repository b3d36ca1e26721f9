import DumpCore
import Pipeline

extension Examination.Part {
    /// A line for the part, one for each fact, then one for each finding, most severe first.
    func lines(quiet: Bool) -> [String] {
        let shown = findings.filter { !quiet || $0.severity > .note }.sorted { $0.severity > $1.severity }
        return (quiet ? [] : [heading] + factLines)
            + shown.map { finding in
                "  \(finding.severity.rawValue): \(finding.message) [\(finding.code)]"
                    + (finding.hint.map { " — \($0)" } ?? "")
            }
    }

    private var heading: String {
        let size = estimatedBytes.map { ", about \(formatBytes($0))" } ?? ""
        let isReady = !findings.contains { $0.severity == .failure }
        let verdict = reachable == false ? "not reachable" : isReady ? "ready" : "not ready"
        return "\(kind.rawValue) \(name): \(verdict)\(size)"
    }

    /// Names and values in two columns.
    private var factLines: [String] {
        let facts = allFacts.map { (name: $0.name.replacing("_", with: " "), value: $0.value) }
        let width = facts.map(\.name.count).max() ?? 0
        return facts.map { "  \($0.name)\(String(repeating: " ", count: width - $0.name.count))  \($0.value)" }
    }

    private var allFacts: ErrorContext {
        var all = facts ?? [:]
        if kind == .dump, reachable == true { all["last_run"] = lastRun?.description ?? "none yet" }
        if let expectedBytes { all["expected"] = formatBytes(expectedBytes) }
        if let freeBytes { all["free"] = formatBytes(freeBytes) }
        return all
    }
}
