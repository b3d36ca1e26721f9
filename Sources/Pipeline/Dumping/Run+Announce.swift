import DumpCore
import Logging
import Reporting
import Staging

extension Run {
    /// Says of every source, before the work starts, what prepare learnt and found of it, and what it took the last time.
    func announce(_ prepared: PreparedJob, after history: RunHistory) {
        for source in prepared.sources {
            guard let examined = source.prepared else { continue }
            var metadata: Logger.Metadata = ["dump": "\(source.name)"]
            for fact in examined.facts { metadata[fact.name] = "\(fact.value)" }
            metadata["estimated"] = "\(formatBytes(prepared.estimates[source.name] ?? 0))"
            if let last = history.last(source.name, source.kind) { metadata["last_run"] = "\(last)" }
            log.info("source examined", metadata: metadata)
            logFindings(examined.findings + examined.omissions, of: source.name)
        }
    }

    /// Says how much the set is expected to take and how much is free, and throws unless it fits.
    func requireSpace(for prepared: PreparedJob, in area: StagingArea) async throws(StagingError) {
        let expected = try await area.expectedBytes(estimates: prepared.estimates)
        let free = try await area.freeBytes()
        log.info(
            "space for the set", metadata: ["expected": "\(formatBytes(expected))", "free": "\(formatBytes(free))"])
        try await area.requireSpace(for: expected)
    }

    /// Those that are not the failure of the run, which is logged once, in the end.
    func logFindings(_ findings: [Finding], of dump: String) {
        for finding in findings where finding.severity != .failure {
            log.log(
                level: finding.severity == .warning ? .warning : .info, "\(finding.message)",
                metadata: ["dump": "\(dump)", "code": "\(finding.code)"])
        }
    }
}
