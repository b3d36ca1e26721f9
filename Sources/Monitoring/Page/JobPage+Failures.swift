import DumpCore
import Reporting

/// What went wrong, with the errors and what to do.
extension JobPage {
    var failures: Markup {
        let failed = history.ended.filter { !$0.problems.isEmpty || $0.outcome != .done }
        guard !failed.isEmpty else { return "" }
        let shown = failed.prefix(limits.failures)
        let rest = failed.count - shown.count
        let more: Markup = rest > 0 ? "<p class=\"note\">\(.count(rest)) older ones are not shown.</p>" : ""
        return section(
            "failures", "Failures, the newest first", "<ol class=\"failures\">\(shown.map(failure))</ol>\(more)")
    }

    private func failure(_ run: RunReport) -> Markup {
        """
        <li><p class="when">\(.time(run.startedAt)) \(.outcome(run.outcome)) <span>\(run.command)</span> \(.code(run.runID.description))</p>
        \(run.problems.map(problem))\(run.problems.isEmpty ? unexplained(run) : "")</li>

        """
    }

    private func unexplained(_ run: RunReport) -> Markup {
        switch run.outcome {
        case .noResult:
            "<p>It was killed, or the host went down\(run.stage.map { " (\($0.rawValue))" as Markup } ?? ""). The system's journal may tell what ended it.</p>"
        case .interrupted: "<p>It was told to stop.</p>"
        default: "<p>Its report does not say why.</p>"
        }
    }

    private func problem(_ problem: RunReport.Problem) -> Markup {
        let error = problem.error
        let hint: Markup = error.hint.map { "<p class=\"hint\">\($0)</p>" } ?? ""
        return "<p>\(problem.subject)\(error.message) \(.code(error.code))</p>\(hint)\(context(error.context))\n"
    }

    private func context(_ facts: [String: String]) -> Markup {
        guard !facts.isEmpty else { return "" }
        let lines = facts.sorted { $0.key < $1.key }.map { fact -> Markup in
            "<dt>\(fact.key)</dt><dd><pre>\(Markup(linesOf: fact.value.shortened))</pre></dd>"
        }
        return "<details><summary>What is known of it</summary><dl class=\"facts\">\(lines)</dl></details>"
    }
}

extension RunReport {
    struct Problem {
        /// What it is of, if the error does not say so.
        var subject: String
        var error: ErrorRecord
    }

    /// Each error that is on record. The run's own is often that of one of its parts.
    var problems: [Problem] {
        let parts =
            (dumps.map { Problem(subject: "dump \($0.name): ", error: $0.error) }
            + archives.map { Problem(subject: "repository \($0.repository): ", error: $0.error) }
            + archives.map {
                Problem(subject: "repository \($0.repository), after its archive: ", error: $0.upkeep?.error)
            }).compactMap(\.self)
        let own = error.flatMap { error in
            parts.contains { $0.error.message == error.message } ? nil : Problem(subject: "", error: error)
        }
        return [own].compactMap(\.self) + parts
    }
}

extension RunReport.Problem {
    fileprivate init?(subject: String, error: RunReport.ErrorRecord?) {
        guard let error else { return nil }
        self.init(subject: subject, error: error)
    }
}

extension String {
    /// The end of what a program said tells most.
    fileprivate var shortened: String { utf8.count <= 4000 ? self : "…" + suffix(2000) }
}
