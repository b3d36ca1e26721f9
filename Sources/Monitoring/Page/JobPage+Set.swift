import DumpCore
import Reporting

/// What the current set holds: its databases, and as of when each dump is.
extension JobPage {
    var databases: Markup {
        let databases = material.databases.sorted { ($0.bytes ?? 0, $1.name) > ($1.bytes ?? 0, $0.name) }
        guard !databases.isEmpty else { return "" }
        let (large, small) = (
            databases.prefix(Self.shownDatabases), databases.prefix(limits.rows).dropFirst(Self.shownDatabases)
        )
        let hidden = databases.count - large.count - small.count
        let more: Markup = hidden > 0 ? "<p class=\"note\">\(.count(hidden)) even smaller ones are not listed.</p>" : ""
        let most = databases.compactMap(\.bytes).max() ?? 0
        let rest: Markup =
            small.isEmpty
            ? ""
            : "<details><summary>\(.count(small.count)) smaller ones</summary>\(table("Smaller databases", small, nil))\(more)</details>"
        return section(
            "databases", "Databases in the current set", "\(table("Databases, the largest first", large, most))\(rest)")
    }

    private static let shownDatabases = 20

    private func table(_ caption: Markup, _ databases: ArraySlice<ReportMaterial.Database>, _ most: Int64?) -> Markup {
        PageTable(
            caption,
            ["database", "dump", "size of its dump#", "tables#", "rows#"] + (most == nil ? [] : ["beside the largest"]),
            databases.map { database in
                [
                    "\(database.name)", "\(database.dump)", database.bytes.map { .bytes($0) } ?? "–",
                    .count(database.tables), .count(Int(database.rows)),
                ] + (most.map { [bar(database.bytes ?? 0, $0)] } ?? [])
            }
        ).html
    }

    private func bar(_ bytes: Int64, _ most: Int64) -> Markup {
        let share = most > 0 ? 100 * Double(bytes) / Double(most) : 0
        return """
            <svg class="share" aria-hidden="true" width="120" height="10"><rect class="back" width="100%" height="10"/><rect class="fill" width="\(at: share)%" height="10"/></svg>
            """
    }

    // MARK: - Consistency

    var consistency: Markup {
        let moments = material.moments
        guard let first = moments.map(\.moment.from).min(), let last = moments.map(\.moment.to).max() else { return "" }
        let span = max(last.seconds(since: first), 0.001)
        let rows = moments.enumerated().map { place, dump in row(dump, at: 20 + 34 * Double(place), first, span) }
        let end = 34 * Double(moments.count) + 6
        let marks: Markup = """
            <text class="time" text-anchor="start" x="0" y="\(at: end + 16)">0 s</text>\
            <text class="time" text-anchor="end" x="100%" y="\(at: end + 16)">\(span.asDuration) later</text>
            """
        let plot = Plot(
            id: "\(id)-moments", title: "As of when each dump of the current set is",
            summary: "From the first instant, \(first.readable) UTC, to the last, \(span.asDuration) later.",
            height: Int(end) + 22, drawing: "\(rows)\(marks)",
            table: PageTable(
                "Consistency of the current set", ["dump", "consistency", "from", "to", "width#"],
                moments.map { dump in
                    let moment = dump.moment
                    return [
                        "\(dump.dump)", "\(moment.kind.word)", .time(moment.from), .time(moment.to),
                        .seconds(moment.to.seconds(since: moment.from)),
                    ]
                }
            ))
        return section("consistency", "Consistency", "\(plot.figure)\(widestTable)")
    }

    private func row(_ dump: ReportMaterial.DumpMoment, at y: Double, _ first: Timestamp, _ span: Double) -> Markup {
        let moment = dump.moment
        let from = min(max(100 * moment.from.seconds(since: first) / span, 0), 99.5)
        let to = min(max(100 * moment.to.seconds(since: first) / span, from), 100)
        return """
            <g><text class="name" x="0" y="\(at: y - 4)">\(dump.dump): \(moment.kind.word)</text><line class="grid" x1="0" x2="100%" y1="\(at: y + 5)" y2="\(at: y + 5)"/>\
            <line class="moment \(moment.kind.rawValue)" x1="\(at: from)%" x2="\(at: max(to, from + 0.5))%" y1="\(at: y + 5)" y2="\(at: y + 5)"/>\
            <title>\(dump.dump): \(moment.kind.word), \(moment.from.readable) UTC, \(moment.to.seconds(since: moment.from).asDuration)</title></g>
            """
    }

    /// Over all runs on record.
    private var widestTable: Markup {
        let samples = Dictionary(grouping: history.published.flatMap(\.dumps).filter { $0.moment != nil }) {
            "\($0.name)\n\($0.provider)"
        }
        let rows = samples.values.sorted { $0[0].name < $1[0].name }.map { dumps -> [Markup] in
            let moments = dumps.compactMap(\.moment)
            let widths = moments.map { $0.to.seconds(since: $0.from) }
            return ["\(dumps[0].name)"]
                + [Moment.Kind.exact, .window, .live].map { kind in .count(moments.count { $0.kind == kind }) }
                + [.seconds(widths.max()!)]
        }
        return PageTable(
            "Consistency over all published sets", ["dump", "one instant#", "window#", "read live#", "widest#"], rows,
            showsCaption: true
        ).html
    }
}

extension Moment.Kind {
    fileprivate var word: String {
        switch self {
        case .exact: "one instant"
        case .window: "window"
        case .live: "read live"
        }
    }
}

// MARK: - Findings

extension JobPage {
    /// What the newest run said of each dump: what it does not hold, and what else was found.
    var omissions: Markup {
        let rows = health.dumps.flatMap { dump in
            dump.omissions.map { row(dump.name, "left out", $0) } + dump.findings.map { row(dump.name, "found", $0) }
        }
        guard !rows.isEmpty else { return "" }
        let rest = rows.count - limits.rows
        let more: Markup = rest > 0 ? "<p class=\"note\">\(.count(rest)) more are in the report of the run.</p>" : ""
        let table = PageTable(
            "Omissions and findings of the newest dumps", ["dump", "what", "weight", "of", "code", "message"],
            Array(rows.prefix(limits.rows)))
        return section("omissions", "Omissions and findings", table.html + more)
    }

    private func row(_ dump: String, _ kind: Markup, _ finding: Finding) -> [Markup] {
        let hint: Markup = finding.hint.map { "<br><span class=\"hint\">\($0)</span>" } ?? ""
        return [
            "\(dump)", kind, "\(finding.severity.shown.name)", "\(finding.object)", .code(finding.code),
            "\(finding.message)\(hint)",
        ]
    }
}
