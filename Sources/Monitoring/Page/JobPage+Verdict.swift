import DumpCore
import Reporting

/// The verdict with its reasons, and what an operator looks for first.
extension JobPage {
    var verdict: Markup {
        let reasons = health.reasons.map { reason -> Markup in
            let (name, sign) = reason.severity.shown
            return """
                <li class="\(name)"><svg class="sign" aria-hidden="true"><use href="#\(sign)" x="8" y="8"/></svg><div><p><span class="hidden">\(name): \
                </span>\(reason.message)</p>\(reason.hint.map { "<p class=\"hint\">\($0)</p>" as Markup } ?? "")</div></li>

                """
        }
        let list: Markup = reasons.isEmpty ? "" : "<ul class=\"reasons\">\(reasons)</ul>"
        return """
            <div class="verdict \(health.verdict.rawValue)" id="\(id)-verdict"><p class="word"><svg class="sign" aria-hidden="true"><use href="#v-\(health.verdict.rawValue)" x="16" y="16"/></svg>\
            <strong>\(health.verdict.word)</strong> <span>\(headline)</span></p>\(list)</div>

            """
    }

    private var headline: Markup {
        guard let success = history.published.first else {
            return health.running == nil ? "No set has ever been published." : "The first run is at work."
        }
        let age = Markup.age(of: success.succeededAt, at: health.at)
        let running: Markup = health.running == nil ? "" : " A run is at work now."
        return "The last set was published \(age).\(running)"
    }

    var tiles: Markup {
        let tiles = [setTile, runsTile] + health.repositories.map(tile) + [drillTile].compactMap(\.self)
        return "<dl class=\"tiles\">\(tiles)</dl>\n"
    }

    private func tile(_ name: Markup, _ value: Markup, _ rest: [Markup]) -> Markup {
        "<div><dt>\(name)</dt><dd class=\"value\">\(value)</dd>\(rest.filter { !$0.isEmpty }.map { "<dd>\($0)</dd>" as Markup })</div>\n"
    }

    private var setTile: Markup {
        guard let set = records.status.set else { return tile("Current set", "none", []) }
        return tile(
            "Current set", .bytes(set.bytes),
            [
                "\(.count(set.dumps.count)) \(set.dumps.count == 1 ? "dump" : "dumps"), \(.time(set.endedAt))",
                .code(set.runID.description),
            ])
    }

    private var runsTile: Markup {
        let runs = history.runs
        let counts = RunReport.Outcome.shownOrder.compactMap { outcome -> Markup? in
            let count = runs.count { $0.outcome == outcome }
            return count == 0 ? nil : "\(.count(count)) \(outcome.word)"
        }
        let since = runs.map(\.startedAt).min()
        return tile(
            "Runs on record", .count(runs.count), [counts.joined(by: ", "), since.map { "since \(.time($0))" } ?? ""])
    }

    private func tile(_ repository: RepositoryHealth) -> Markup {
        let name: Markup = "Last archive in \(repository.name)"
        guard let last = repository.lastConfirmed else { return tile(name, "none", []) }
        let check = repository.lastCheckAt.map { "checked \(.age(of: $0, at: health.at))" as Markup } ?? "never checked"
        return tile(
            name, .age(of: last.at, at: health.at),
            [.code(last.archive), "\(.count(repository.confirmedArchives)) confirmed, \(check)"])
    }

    private var drillTile: Markup? {
        guard let drill = health.drill else { return nil }
        guard let proven = drill.lastProvenAt else { return tile("Last proof by a drill", "none", []) }
        return tile(
            "Last proof by a drill", .age(of: proven, at: health.at),
            [
                drill.lastProven.map { "\($0)" } ?? "",
                drill.restoreSeconds.map { "everything back in \(.seconds($0))" } ?? "",
            ])
    }
}

extension Finding.Severity {
    /// Its word, and the id of its sign.
    var shown: (name: String, sign: String) {
        switch self {
        case .note: ("note", "s-note")
        case .warning: ("warning", "s-warning")
        case .failure: ("failure", "s-failed")
        }
    }
}

extension RunReport.Outcome {
    static let shownOrder: [RunReport.Outcome] = [.done, .failed, .interrupted, .noResult, .running]
}
