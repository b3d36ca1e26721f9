import Catalog
import DumpCore
import Jobs
import Reporting
import Restoring

/// What each repository received, how it grows, and which of its archives are confirmed and proven.
extension JobPage {
    var repositories: Markup {
        let parts = job.repositories.enumerated().map { place, repository in part(repository.name, "\(id)-r\(place)") }
        return section("repositories", "Repositories", parts.joined())
    }

    private func part(_ repository: String, _ id: String) -> Markup {
        let growth = history.attempts(in: repository).compactMap { run, archive in
            archive.storedBytes.map { Growth(run: run, archive: archive, stored: $0) }
        }.sorted { $0.run.startedAt < $1.run.startedAt }
        let figures: Markup =
            growth.isEmpty
            ? "<p>No archive with a known size is on record.</p>"
            : "<div class=\"plots\">\(newBytesPlot(repository, growth, id).figure)\(sumPlot(repository, growth, id).figure)</div>"
        return "<h\(level + 2)>\(repository)</h\(level + 2)>\n\(figures)\(forecastLine(repository, growth))"
    }

    private var groupLimit: Int { min(max(limits.points / 2 / max(job.repositories.count, 1), 10), 100) }

    private func newBytesPlot(_ repository: String, _ growth: [Growth], _ id: String) -> Plot {
        let groups = grouped(growth, atMost: groupLimit)
        let points = groups.map { group -> PlotPoint in
            let (bytes, last) = (group.map(\.stored), group[group.count - 1])
            let several: Markup =
                group.count > 1 ? " (\(group.count) archives, at most \(formatBytes(bytes.max()!)))" : ""
            return PlotPoint(
                from: group[0].run.startedAt, at: last.run.startedAt, least: 0, most: Double(bytes.max()!),
                value: Double(last.stored),
                hover: "\(last.run.startedAt.readable) UTC: \(formatBytes(last.stored)) new\(several)")
        }
        let frame = PlotFrame(time: time, values: ValueAxis(bytes: points.map(\.most).max() ?? 1))
        let rows = groups.reversed().map { group -> [Markup] in
            let bytes = group.map(\.stored)
            return group.whenCells + [.bytes(bytes.min()!), .bytes(bytes.max()!), .bytes(bytes.total)]
        }
        return Plot(
            id: "\(id)-new", title: "New bytes in \(repository) by each archive",
            summary:
                "What each archive added after deduplication and compression, from zero to \(frame.values.ticks.last?.label ?? "0").",
            height: frame.height, drawing: "\(frame.axes)\(frame.bars(points))",
            table: PageTable(
                "New bytes in \(repository)", ["first run", "last run", "archives#", "least#", "most#", "together#"],
                rows
            ))
    }

    /// As far as runs on record tell.
    private func sumPlot(_ repository: String, _ growth: [Growth], _ id: String) -> Plot {
        var sum: Int64 = 0
        let sums = growth.map { entry -> Grown in
            sum = sum.plus(entry.stored).minus(entry.freed)
            return Grown(growth: entry, sum: sum)
        }
        let groups = grouped(sums, atMost: groupLimit)
        let points = groups.map { group -> PlotPoint in
            let (values, last) = (group.map { Double($0.sum) }, group[group.count - 1])
            return PlotPoint(
                from: group[0].growth.run.startedAt, at: last.growth.run.startedAt, least: values.min()!,
                most: values.max()!, value: Double(last.sum),
                hover: "\(last.growth.run.startedAt.readable) UTC: \(formatBytes(last.sum))")
        }
        let frame = PlotFrame(time: time, values: ValueAxis(bytes: points.map(\.most).max() ?? 1))
        let rows = groups.reversed().map { group -> [Markup] in
            group.map(\.growth).whenCells + [.bytes(group[group.count - 1].sum)]
        }
        return Plot(
            id: "\(id)-sum", title: "Growth of \(repository) since the first run on record",
            summary: "New bytes of all archives together, less what compacting freed, up to \(formatBytes(sum)).",
            height: frame.height, drawing: "\(frame.axes)\(frame.line(points))",
            table: PageTable(
                "Growth of \(repository)", ["first run", "last run", "archives#", "growth after the last#"], rows
            ))
    }

    private func forecastLine(_ repository: String, _ growth: [Growth]) -> Markup {
        guard let room = material.repositoryRoom[repository] else { return "" }
        let free: Markup = "The file system of \(repository) has \(.bytes(room)) free."
        let added = growth.map { (at: $0.run.startedAt, bytes: $0.stored.minus($0.freed)) }
        guard let forecast = Forecast(growth: added, room: room, now: health.at) else {
            return "<p class=\"forecast\">\(free)</p>\n"
        }
        return """
            <p class="forecast">\(free) By an estimate it is full \(forecast.text): over the last 30 days, \(.count(forecast.values)) archives added \
            \(.bytes(Int64(nearest: forecast.bytesPerDay))) a day, less what compacting freed.</p>

            """
    }

    fileprivate struct Grown {
        var growth: Growth
        var sum: Int64
    }
}

/// One archive and what it added.
private struct Growth {
    var run: RunReport
    var archive: RunReport.ArchiveRecord
    var stored: Int64
    var freed: Int64 { archive.upkeep?.freedBytes ?? 0 }
}

extension [Growth] {
    fileprivate var whenCells: [Markup] {
        [.time(self[0].run.startedAt), .time(self[count - 1].run.startedAt), .count(count)]
    }
}
