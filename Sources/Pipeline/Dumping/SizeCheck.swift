import DumpCore
import Reporting
import Staging

extension AnomalyRule {
    /// What there is to say of a dump of `bytes` after runs in which it had these sizes, or nil if it is as usual.
    ///
    /// Its severity is `failure` when it must keep the run from going on. Without any size to compare with, nothing is unusual.
    func finding(of dump: String, bytes: Int64, against sizes: [Int64]) -> Finding? {
        guard action != .ignore, let usual = Self.median(of: sizes) else { return nil }
        let hundredths = Double(bytes) * 100
        if hundredths < Double(usual) * Double(belowPercent) {
            return finding(
                code: "size_shrank", dump, "shrunk", to: bytes, from: usual, sizes.count,
                hint: "Check whether something is missing at its source.")
        }
        if let abovePercent, hundredths > Double(usual) * Double(abovePercent) {
            return finding(
                code: "size_grew", dump, "grown", to: bytes, from: usual, sizes.count,
                hint: "Check what was added at its source.")
        }
        return nil
    }

    /// Takes the smaller one of two in the middle, so that it is always a size that occurred.
    static func median(of sizes: [Int64]) -> Int64? {
        sizes.isEmpty ? nil : sizes.sorted()[(sizes.count - 1) / 2]
    }

    private func finding(
        code: String, _ dump: String, _ change: String, to bytes: Int64, from usual: Int64, _ runs: Int, hint: String
    ) -> Finding {
        let measure = runs == 1 ? "it was" : "the median of the last \(runs) runs is"
        return Finding(
            action == .fail ? .failure : .warning, code, object: dump,
            "dump '\(dump)' has \(change) to \(formatBytes(bytes)): \(measure) \(formatBytes(usual))",
            hint: hint + " If the size is right, run once with --accept-sizes.")
    }
}

/// How the sizes of a run's dumps are looked at before they are sealed.
struct SizeCheck: Sendable {
    var rule: AnomalyRule
    var history: RunHistory

    /// The dumps with their sizes, and with what is unusual about them.
    func measured(_ dumps: [TakenDump], in incoming: IncomingSet) async throws(StagingError) -> [TakenDump] {
        var measured: [TakenDump] = []
        for var dump in dumps {
            if case .success(let summary) = dump.outcome {
                let bytes = try await size(of: summary, dump.name, in: incoming)
                let sizes = history.sizes(of: dump.name, dump.kind)
                dump.bytes = bytes
                dump.sizeFinding = rule.finding(of: dump.name, bytes: bytes, against: sizes)
            }
            measured.append(dump)
        }
        return measured
    }

    /// Providers already report the size of a tree and of the files beside it: looking at each file again would take a while.
    private func size(
        of summary: DumpSummary, _ dump: String, in incoming: IncomingSet
    ) async throws(StagingError) -> Int64 {
        guard let tree = summary.tree else {
            // A table that is stored as rows may take more one night and less the next, and be as large as before.
            return try await incoming.bytes(ofDump: dump).plus(summary.databases.bytesPutTogether)
        }
        return summary.digests.values.reduce(tree.bytes) { $0 + $1.bytes }
    }
}
