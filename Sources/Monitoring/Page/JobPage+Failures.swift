import DumpCore
import Reporting

/// What went wrong, with the errors and what to do.
extension JobPage {
    var failures: Markup {
        let failed = history.ended.filter { !$0.problems.isEmpty || $0.outcome != .done }
        guard !failed.isEmpty else { return "" }
        let shown = failed.prefix(limits.failures).enumerated().map { failure($1, withContext: $0 < Self.withContext) }
        let (newest, older) = (shown.prefix(Self.open), shown.dropFirst(Self.open))
        let rest = failed.count - shown.count
        let more: Markup = rest > 0 ? "<p class=\"note\">\(.count(rest)) even older ones are not shown.</p>" : ""
        let folded: Markup =
            older.isEmpty
            ? ""
            : "<details><summary>\(.count(older.count)) older failures</summary><ol class=\"failures\">\(Array(older))</ol>\(more)</details>\n"
        return section(
            "failures", "Failures, the newest first", "<ol class=\"failures\">\(Array(newest))</ol>\n\(folded)")
    }

    private static let open = 5
    /// What programs said takes room.
    private static let withContext = 10

    private func failure(_ run: RunReport, withContext: Bool) -> Markup {
        """
        <li><p class="when">\(.time(run.startedAt)) \(.outcome(run.outcome)) <span>\(run.command)</span> \(.code(run.runID.description))</p>
        \(run.problems.map { problem($0, withContext) })\(run.problems.isEmpty ? unexplained(run) : "")</li>

        """
    }

    private func unexplained(_ run: RunReport) -> Markup {
        switch run.outcome {
        case .noResult:
            "<p>It was killed, or the host went down\(run.stage.map { " (\($0.rawValue))" as Markup } ?? ""). The system's journal may tell what ended it.</p>"
        case .interrupted: "<p>It was interrupted.</p>"
        default: "<p>Its report does not say why.</p>"
        }
    }

    private func problem(_ problem: RunReport.Problem, _ withContext: Bool) -> Markup {
        let error = problem.error
        let hint: Markup = error.hint.map { "<p class=\"hint\">\($0)</p>" } ?? ""
        return
            "<p>\(problem.prefix)\(error.message) \(.code(error.code))</p>\(hint)\(withContext ? context(error.context) : "")\n"
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
        /// The dump or repository that it is of; empty if it is the run's.
        var subject: String
        /// What it is of, in words.
        var place: String
        var error: ErrorRecord
    }

    /// Each error that is on record. The run's own is often that of one of its parts.
    var problems: [Problem] {
        let parts =
            (dumps.map { Problem(subject: $0.name, place: "dump \($0.name)", error: $0.error) }
            + archives.map { Problem(subject: $0.repository, place: "repository \($0.repository)", error: $0.error) }
            + archives.map {
                Problem(subject: "", place: "repository \($0.repository), after its archive", error: $0.upkeep?.error)
            }).compactMap(\.self)
        let own = error.flatMap { error in
            parts.contains { $0.error.message == error.message } ? nil : Problem(subject: "", place: "", error: error)
        }
        return [own].compactMap(\.self) + parts
    }
}

extension RunReport.Problem {
    fileprivate init?(subject: String, place: String, error: RunReport.ErrorRecord?) {
        guard let error else { return nil }
        self.init(subject: subject, place: place, error: error)
    }

    /// What the error does not say itself.
    fileprivate var prefix: String {
        place.isEmpty || (!subject.isEmpty && error.message.contains(subject)) ? "" : place + ": "
    }
}

extension String {
    /// The end of what a program said tells most.
    fileprivate var shortened: String { utf8.count <= 2000 ? self : "…" + suffix(1000) }
}
