import DumpCore
import Restoring

extension RestoreReport {
    /// For people: what is where now, and what it was compared with.
    func text(isRehearsal: Bool) -> String {
        let notes = findings.filter { $0.severity == .note }.map { "note: \($0.message)" }
        if isRehearsal { return (plan.map(\.text) + notes + ["nothing was restored"]).asLines }
        return (dumps.flatMap { $0.outcome.items.map(\.text) + $0.outcome.findings.map(\.text) } + [closing]).asLines
    }

    private var closing: String {
        let fetched = fetched.map { "\($0.files) files, \(formatBytes($0.bytes)), " } ?? ""
        let seconds =
            endedAt.map { "restored in \(Duration.seconds($0.seconds(since: startedAt)).settingsText) " } ?? ""
        return "\(seconds)from \(origin.text): \(fetched)all as sealed"
    }
}

extension RestorePlan {
    fileprivate var text: String {
        let place = name == item ? "under its own name" : "as \(name)"
        return "would restore \(item) \(place), about \(formatBytes(bytes))"
            + (kept.map { ", and keep what is there as \($0)" } ?? "")
    }
}

extension RestoredItem {
    fileprivate var text: String {
        let facts = comparison.compared.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
        let equal = facts.isEmpty ? "" : "; equal to its manifest in \(facts.joined(separator: ", "))"
        let open =
            comparison.notCompared.isEmpty ? "" : "; not compared: \(comparison.notCompared.joined(separator: ", "))"
        let old = kept.map { "; the old one is kept as \($0)" } ?? ""
        return "\(item) is in \(name)\(old)\(equal)\(open)"
    }
}

extension Finding {
    fileprivate var text: String { "\(severity.rawValue): \(message)" + (hint.map { ". \($0)" } ?? "") }
}
