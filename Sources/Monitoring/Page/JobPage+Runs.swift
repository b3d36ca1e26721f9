import DumpCore
import Reporting

/// The runs over time, and those that did not go well.
extension JobPage {
    var runs: Markup {
        guard !history.runs.isEmpty else { return section("runs", "Runs", "<p>No run is on record.</p>") }
        return section("runs", "Runs", "\(outcomePlot.figure)\(durationPlot.figure)")
    }

    // MARK: - Outcomes

    private static let laneHeight = 30.0

    private var outcomePlot: Plot {
        let lanes = RunReport.Outcome.shownOrder.filter { outcome in history.runs.contains { $0.outcome == outcome } }
        let bottom = Self.laneHeight * Double(lanes.count)
        let marks = lanes.enumerated().map { place, outcome in
            lane(outcome, at: Self.laneHeight * (Double(place) + 0.5))
        }
        return Plot(
            id: "\(id)-outcomes", title: "How runs ended",
            summary:
                "One mark for each run, in one row for each way to end, from \(time.from.date) to \(time.to.date).",
            height: Int(bottom) + 26,
            drawing: "\(marks)\(time.marks(atMost: 9, from: 0, to: bottom))", table: runTable, remainder: unlistedRuns,
            note: outsideNote)
    }

    private func lane(_ outcome: RunReport.Outcome, at y: Double) -> Markup {
        let runs = history.runs.filter { $0.outcome == outcome && time.covers($0.startedAt) }.sorted {
            $0.startedAt < $1.startedAt
        }
        let marks = grouped(runs, atMost: limits.marks).map { group -> Markup in
            "<use href=\"#\(outcome.sign)\" x=\"\(at: time.place(of: group.last!.startedAt))%\" y=\"\(at: y)\"><title>\(hover(group))</title></use>"
        }
        return """
            <line class="grid" x1="0" x2="100%" y1="\(at: y)" y2="\(at: y)"/><text class="value" x="-8" y="\(at: y + 4)">\(outcome.shortWord)</text>\(marks)
            """
    }

    private func hover(_ runs: [RunReport]) -> Markup {
        let (first, last) = (runs[0], runs[runs.count - 1])
        guard runs.count > 1 else {
            return
                "\(last.startedAt.readable) UTC: \(last.command) \(last.outcome.word)\(last.error.map { ": \($0.message)" } ?? "")"
        }
        return "\(first.startedAt.readable) to \(last.startedAt.readable) UTC: \(runs.count) runs \(last.outcome.word)"
    }

    /// What a wrong clock has dated is in the table only.
    private var outsideNote: Markup {
        let count = history.runs.count { !time.covers($0.startedAt) }
        guard count > 0 else { return "" }
        return
            "\(.count(count)) \(count == 1 ? "run is" : "runs are") dated far from the others, as by a wrong clock, and in the table only."
    }

    private var runTable: PageTable {
        PageTable(
            "Runs, the newest first", ["began", "run", "command", "outcome", "took#", "set#", "warnings#", "archives"],
            history.runs.prefix(limits.rows).map(row))
    }

    private var unlistedRuns: Markup {
        let count = history.runs.count - limits.rows
        return count > 0 ? "<p class=\"note\">\(.count(count)) older runs are in the plot only.</p>" : ""
    }

    private func row(_ run: RunReport) -> [Markup] {
        let confirmed = run.archives.count { $0.outcome == .done }
        return [
            .time(run.startedAt), "\(run.runID.description)", "\(run.command)", "\(run.outcome.word)",
            run.isEnded ? .seconds(run.durationSeconds) : "–", run.set.map { .bytes($0.bytes) } ?? "–",
            .count(run.warnings.count),
            run.archives.isEmpty ? "–" : "\(confirmed) of \(run.archives.count)",
        ]
    }

    // MARK: - Durations

    private var durationPlot: Plot {
        let ended = history.runs.filter { $0.isEnded && $0.durationSeconds >= 0 }.sorted { $0.startedAt < $1.startedAt }
        let groups = grouped(ended, atMost: min(limits.points, 120))
        let points = groups.map { group -> PlotPoint in
            let seconds = group.map(\.durationSeconds)
            let last = group[group.count - 1]
            let most: Markup =
                group.count > 1
                ? " (\(group.count) runs, \(seconds.min()!.asDuration) to \(seconds.max()!.asDuration))" : ""
            return PlotPoint(
                from: group[0].startedAt, at: last.startedAt, least: seconds.min()!, most: seconds.max()!,
                value: last.durationSeconds,
                hover: "\(last.startedAt.readable) UTC: \(last.command) took \(last.durationSeconds.asDuration)\(most)")
        }
        let frame = PlotFrame(time: time, values: ValueAxis(seconds: points.map(\.most).max() ?? 1), timeTicks: 9)
        let rows = groups.reversed().map { group -> [Markup] in
            let seconds = group.map(\.durationSeconds)
            return [
                .time(group[0].startedAt), .time(group.last!.startedAt), .count(group.count), .seconds(seconds.min()!),
                .seconds(seconds.max()!),
            ]
        }
        return Plot(
            id: "\(id)-durations", title: "How long runs took, in hours, minutes and seconds",
            summary: "The duration of runs that have ended, from zero to \(frame.values.ticks.last?.label ?? "0").",
            height: frame.height, drawing: "\(frame.axes)\(frame.line(points))",
            table: PageTable(
                "How long runs took", ["first began", "last began", "runs#", "shortest#", "longest#"], rows
            ))
    }
}

extension RunReport {
    /// By itself, with a known end.
    var isEnded: Bool { outcome != .running && outcome != .noResult }
    /// Below zero if the clock was set back meanwhile.
    var durationSeconds: Double { endedAt.seconds(since: startedAt) }
}

extension RunReport.Outcome {
    /// Beside its row, where there is little room.
    fileprivate var shortWord: String {
        switch self {
        case .noResult: "no result"
        case .interrupted: "stopped"
        default: rawValue
        }
    }
}
