import DumpCore
import Reporting

/// What the dumps of published sets were like over time, also of dumps that the job no longer has.
extension JobPage {
    var dumps: Markup {
        let series = allSeries
        guard series.contains(where: { !$0.samples.isEmpty }) else { return "" }
        // Many dumps are looked at in the table first.
        let areFolded = series.count > 6
        let plotted = largest(of: series)
        let limit = min(max(limits.points / plotted.count, 10), 120)
        let parts = plotted.enumerated().map { place, dump in part(dump, "\(id)-d\(place)", limit, areFolded) }
        let some: Markup =
            plotted.count == series.count
            ? "" : "<p class=\"note\">Below are the \(.count(plotted.count)) largest of them over time.</p>\n"
        return section("dumps", "Dumps", "\(overview(series))\(some)\(parts)\(stagingLine)")
    }

    /// In the same order: those that there is room for in plots.
    private func largest(of series: [DumpSeries]) -> [DumpSeries] {
        guard series.count > limits.plottedDumps else { return series }
        let sizes = series.map { $0.samples.last?.bytes ?? 0 }
        let places = series.indices.sorted { (sizes[$0], $1) > (sizes[$1], $0) }.prefix(limits.plottedDumps)
        return places.sorted().map { series[$0] }
    }

    private func overview(_ series: [DumpSeries]) -> Markup {
        let rows = series.map { dump -> [Markup] in
            let (last, first) = (dump.samples.last, dump.samples.first)
            return [
                "\(dump.name)\(dump.isInJob ? "" : " (no longer in the job)")", "\(dump.provider)",
                last.map { .age(of: $0.run.succeededAt, at: health.at) } ?? "never",
                last.map { .bytes($0.bytes) } ?? "–",
                last.map { .count($0.dump.files ?? 0) } ?? "–", last.map { .seconds($0.dump.durationSeconds) } ?? "–",
                first.map { .bytes($0.bytes) } ?? "–", .count(dump.samples.count),
            ]
        }
        return PageTable(
            "Dumps, as of the last set that has each",
            ["dump", "provider", "last success", "size#", "files#", "took#", "size at first#", "sets#"], rows
        ).html
    }

    private func part(_ dump: DumpSeries, _ id: String, _ limit: Int, _ isFolded: Bool) -> Markup {
        guard !dump.samples.isEmpty else { return "" }
        let groups = grouped(dump.samples, atMost: limit)
        let figures: Markup =
            "<div class=\"plots\">\(sizePlot(dump, groups, id).figure)\(durationPlot(dump, groups, id).figure)</div>\(table(dump, groups).folded)"
        let name: Markup = "\(dump.name) <span class=\"kind\">\(dump.provider)</span>"
        guard isFolded else { return "<h\(level + 2)>\(name)</h\(level + 2)>\n\(figures)" }
        return "<details class=\"part\"><summary>\(name)</summary>\(figures)</details>\n"
    }

    private func sizePlot(_ dump: DumpSeries, _ groups: [[DumpSample]], _ id: String) -> Plot {
        let points = groups.map { group in
            point(group, { Double($0.bytes) }) { formatBytes(Int64(nearest: $0)) }
        }
        let frame = PlotFrame(time: time, values: ValueAxis(bytes: points.map(\.most).max() ?? 1))
        return Plot(
            id: "\(id)-size", title: "Size of \(dump.name), in bytes",
            summary:
                "The size in each published set, from zero to \(frame.values.ticks.last?.label ?? "0"). The table below has the numbers.",
            height: frame.height, drawing: "\(frame.axes)\(frame.line(points))")
    }

    private func durationPlot(_ dump: DumpSeries, _ groups: [[DumpSample]], _ id: String) -> Plot {
        let points = groups.map { group in point(group, \.dump.durationSeconds) { $0.asDuration } }
        let frame = PlotFrame(time: time, values: ValueAxis(seconds: points.map(\.most).max() ?? 1))
        return Plot(
            id: "\(id)-duration", title: "How long \(dump.name) took, in hours, minutes and seconds",
            summary:
                "The duration of the dump for each published set, from zero to \(frame.values.ticks.last?.label ?? "0"). The table below has the numbers.",
            height: frame.height, drawing: "\(frame.axes)\(frame.line(points))")
    }

    /// Behind both plots.
    private func table(_ dump: DumpSeries, _ groups: [[DumpSample]]) -> PageTable {
        let rows = groups.reversed().map { group -> [Markup] in
            let (bytes, seconds) = (group.map(\.bytes), group.map(\.dump.durationSeconds))
            let (first, last) = (group[0], group[group.count - 1])
            return [
                .time(first.run.startedAt), .time(last.run.startedAt), .count(group.count), .bytes(bytes.min()!),
                .bytes(bytes.max()!), .seconds(seconds.min()!), .seconds(seconds.max()!), .moment(of: last),
            ]
        }
        return PageTable(
            "Size and duration of \(dump.name)",
            [
                "first run", "last run", "sets#", "least size#", "most#", "shortest time#", "longest#",
                "consistency of the last",
            ], rows)
    }

    private func point(
        _ group: [DumpSample], _ value: (DumpSample) -> Double, _ text: (Double) -> String
    ) -> PlotPoint {
        let (values, last) = (group.map(value), group[group.count - 1])
        let (least, most) = (values.min()!, values.max()!)
        let several: Markup = group.count > 1 ? " (\(group.count) runs, \(text(least)) to \(text(most)))" : ""
        return PlotPoint(
            from: group[0].run.startedAt, at: last.run.startedAt, least: least, most: most, value: value(last),
            hover: "\(last.run.startedAt.readable) UTC: \(text(value(last)))\(several)")
    }

    // MARK: - Room for sets

    private var stagingLine: Markup {
        guard let room = material.stagingRoom else { return "" }
        let sizes = history.published.compactMap { run in run.set.map { (at: run.succeededAt, bytes: $0.bytes) } }
        let free: Markup = "The staging area's file system has \(.bytes(room)) free."
        guard let forecast = Forecast(sets: sizes, room: room, now: health.at) else {
            return "<p class=\"forecast\">\(free)</p>"
        }
        return """
            <p class="forecast">\(free) By an estimate, the next set no longer fits \(forecast.text): over the last 30 days, sets grew so that the staging area \
            takes \(.bytes(Int64(nearest: forecast.bytesPerDay))) more each day.</p>

            """
    }
}

extension Markup {
    fileprivate static func moment(of sample: DumpSample) -> Markup {
        sample.dump.moment.map { "\($0.shortText)" } ?? "–"
    }
}

extension Moment {
    fileprivate var shortText: String {
        switch kind {
        case .exact: "one instant"
        case .window: "within \(to.seconds(since: from).asDuration)"
        case .live: "read live for \(to.seconds(since: from).asDuration)"
        }
    }
}
