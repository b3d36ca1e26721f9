import DumpCore
import Restoring

extension DrillRecord {
    /// For people: the verdict first, then what it rests on.
    var text: String {
        let verdict =
            switch outcome {
            case .proven: "PROVEN: \(origin.text) was restored and equals its manifest"
            case .sampled: "PROVEN IN PART: some of \(origin.text) was restored and equals its manifest"
            case .failed: "FAILED: \(origin.text) could not be shown to be restorable"
            }
        let time =
            "it took \(shown(durationSeconds)), of which fetching \(shown(fetched?.durationSeconds ?? 0))"
        return ([verdict, time] + (error.map { lines(of: $0, indent: "  ") } ?? []) + dumps.flatMap(lines)).asLines
    }

    /// One line, for a status.
    var line: String {
        let what =
            switch outcome {
            case .proven: "proven, a restore takes \(shown(durationSeconds))"
            case .sampled: "proven in part"
            case .failed: "FAILED: \(failureText)"
            }
        return "last drill \(endedAt.local) of \(origin.text): \(what)".onOneLine
    }

    private func lines(of dump: Dump) -> [String] {
        let seconds = shown(dump.durationSeconds)
        if let error = dump.error { return ["\(dump.name): failed after \(seconds)"] + lines(of: error, indent: "  ") }
        let items = dump.outcome?.items ?? []
        let version = dump.outcome?.identity["server_version"].map { " by PostgreSQL \($0)" } ?? ""
        return ["\(dump.name): \(items.count) restored in \(seconds)\(version)"] + items.flatMap(lines)
            + (dump.outcome?.findings ?? []).filter { $0.severity != .note }.map {
                "  \($0.severity.rawValue): \($0.message)"
            }
    }

    private func lines(of item: RestoredItem) -> [String] {
        let comparison = item.comparison
        let facts = comparison.compared.sorted { $0.key < $1.key }.map { "\($0.value) \($0.key)" }
        let open =
            comparison.notCompared.isEmpty
            ? [] : ["    not compared: \(comparison.notCompared.joined(separator: ", "))"]
        guard comparison.differences.isEmpty else {
            return ["  \(item.item): DIFFERS"] + comparison.differences.prefix(20).map { "    \($0)" } + open
        }
        return ["  \(item.item): \(facts.isEmpty ? "restored" : "equal in \(facts.joined(separator: ", "))")"] + open
    }

    private func lines(of failure: Failure, indent: String) -> [String] {
        let details = failure.details.sorted { $0.key < $1.key }.flatMap { name, value in
            let lines = value.split(atASCII: "\n").map(String.init)
            return lines.count > 1 ? ["\(name):"] + lines.map { "  \($0)" } : ["\(name): \(value)"]
        }
        return ([failure.message] + details + (failure.hint.map { ["hint: \($0)"] } ?? [])).map { indent + $0 }
    }
}

/// In whole seconds, or in milliseconds below ten seconds. A record may hold any number.
private func shown(_ seconds: Double) -> String {
    let duration = Duration.milliseconds(Int64(nearest: seconds * 1000))
    return duration < .seconds(10) ? duration.settingsText : Duration.seconds(duration.components.seconds).settingsText
}
