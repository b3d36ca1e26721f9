import DumpCore
import Pipeline

extension PrunePlan {
    /// A table of all archives, newest first, below a line that sums it up. Without rehearsal a plan is there once it was carried out.
    func text(_ kept: KeptRepository, rehearsal: Bool) -> String {
        let (goes, go) = rehearsal ? ("goes", "go") : ("went", "went")
        let freed = kept.freedBytes.map { ", about \(formatBytes($0)) freed" } ?? ""
        let count = going.count + checkpoints.count
        let heading = "repository \(kept.repository): \(count) \(go), \(staying.count) stay\(freed)"
        return ([heading] + inColumns(rows(goes)).map { "  " + $0 }).asLines
    }

    private func rows(_ goes: String) -> [[String]] {
        let parts = checkpoints.map { [goes, "", $0, "part of an archive that was cut off"] }
        let others = others.map { ["stays", "", $0, "not of this job, not counted"] }
        return archives.map { $0.row(goes) } + parts + others
    }

    /// The last column is as wide as it comes.
    private func inColumns(_ rows: [[String]]) -> [String] {
        let rows = rows.map { $0.map(\.onOneLine) }
        let widths = (0..<3).map { column in rows.map { $0[column].columns }.max() ?? 0 }
        return rows.map { row in
            let cells = zip(row, widths).map { $0 + String(repeating: " ", count: $1 - $0.columns) }
            return (cells + row.dropFirst(3)).joined(separator: "  ")
        }
    }
}

extension PrunePlan.Entry {
    fileprivate func row(_ goes: String) -> [String] {
        [
            kept == nil ? goes : "stays", kept?.description ?? "", name, start.local,
            runID.map { "run \($0)" } ?? "no run", standing.rawValue,
        ]
    }
}
