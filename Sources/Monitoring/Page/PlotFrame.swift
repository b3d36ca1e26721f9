import DumpCore

/// One plot: a figure with its title, the plot as SVG, and a table of the same numbers.
///
/// Across, everything is in per cent: a plot is as wide as its column, and its letters keep their size. Upwards, it is in pixels.
struct Plot {
    var id: String
    var title: Markup
    /// What the plot shows, in a sentence, for those who do not see it.
    var summary: Markup
    var height: Int
    /// Axes and marks.
    var drawing: Markup
    /// What is behind it, unless it shares a table with its neighbour.
    var table: PageTable?
    /// What the table leaves out.
    var remainder: Markup = ""
    /// What is to be known to read it right.
    var note: Markup = ""

    var figure: Markup {
        """
        <figure class="plot"><figcaption id="\(id)-t">\(title)</figcaption>\
        <svg role="img" aria-labelledby="\(id)-t \(id)-d" width="100%" height="\(height)"><desc id="\(id)-d">\(summary)</desc>\(drawing)</svg>\
        \(note.isEmpty ? "" : "<p class=\"note\">\(note)</p>")\(table?.folded(with: remainder) ?? "")</figure>

        """
    }
}

/// The axes of a plot.
struct PlotFrame {
    let time: TimeAxis
    let values: ValueAxis
    /// How many ticks there is room for on a wide screen.
    var timeTicks = 5
    var top = 14.0
    var plotHeight = 120.0

    var height: Int { Int(top + plotHeight) + 26 }

    func x(_ moment: Timestamp) -> Markup { "\(at: time.place(of: moment))%" }
    func y(_ value: Double) -> Double { top + plotHeight * (1 - values.share(of: value)) }

    var axes: Markup {
        let lines = values.ticks.map { tick -> Markup in
            let y = y(tick.value)
            return """
                <line class="grid" x1="0" x2="100%" y1="\(at: y)" y2="\(at: y)"/><text class="value" x="-8" y="\(at: y + 4)">\(tick.label)</text>
                """
        }
        return "\(lines)\(time.marks(atMost: timeTicks, from: top, to: top + plotHeight))"
    }
}

extension TimeAxis {
    /// Ticks with their labels below. Every other label gives way on a narrow screen.
    func marks(atMost count: Int, from top: Double, to bottom: Double) -> Markup {
        ticks(atMost: count).map { tick -> Markup in
            let x = self.place(of: tick.at)
            // A label at the very edge would be cut off.
            let anchor = x < 4 ? "start" : x > 96 ? "end" : "middle"
            return """
                <line class="tick" x1="\(at: x)%" x2="\(at: x)%" y1="\(at: bottom)" y2="\(at: bottom + 5)"/><text class="time\(tick.isMinor ? " odd" : "")" \
                text-anchor="\(anchor)" x="\(at: x)%" y="\(at: bottom + 19)">\(tick.label)</text>
                """
        }.joined()
    }
}

/// What is drawn of one value, or of several that share a place.
struct PlotPoint {
    /// When the first value is, and the last.
    var from: Timestamp
    var at: Timestamp
    var least: Double
    var most: Double
    /// The last.
    var value: Double
    var hover: Markup
}

extension PlotFrame {
    /// A line through points, broken where values are missing for longer than usual, with a dot for each.
    func line(_ points: [PlotPoint]) -> Markup {
        let shown = points.filter { time.covers($0.at) && time.covers($0.from) }
        let dots = shown.map { point -> Markup in
            let (x, y) = (x(point.at), y(point.value))
            let span: Markup =
                point.least == point.most
                ? ""
                : "<line class=\"span\" x1=\"\(x)\" x2=\"\(x)\" y1=\"\(at: self.y(point.least))\" y2=\"\(at: self.y(point.most))\"/>"
            return
                "<g>\(span)<circle class=\"dot\" cx=\"\(x)\" cy=\"\(at: y)\" r=\"\(shown.count > 60 ? 2 : 3)\"/><title>\(point.hover)</title></g>"
        }
        return "\(path(shown))\(dots)"
    }

    private func path(_ points: [PlotPoint]) -> Markup {
        let limit = longestStep(points)
        var steps: Markup = ""
        for (place, point) in points.enumerated() {
            let isLinked = place > 0 && point.from.seconds(since: points[place - 1].at) <= limit
            steps += "\(isLinked ? "L" : "M")\(at: 10 * time.place(of: point.at)) \(at: y(point.value))"
        }
        guard !points.isEmpty else { return "" }
        return """
            <svg width="100%" height="\(height)" viewBox="0 0 1000 \(height)" preserveAspectRatio="none"><path class="line" vector-effect="non-scaling-stroke" \
            d="\(steps)"/></svg>
            """
    }

    /// In seconds; three times the usual.
    private func longestStep(_ points: [PlotPoint]) -> Double {
        let steps = zip(points.dropFirst(), points).map { $0.from.seconds(since: $1.at) }.sorted()
        guard steps.count >= 3 else { return .infinity }
        return max(3 * steps[steps.count / 2], 3600)
    }

    /// A bar from zero for each point, up to its greatest value.
    func bars(_ points: [PlotPoint]) -> Markup {
        let shown = points.filter { time.covers($0.at) }
        let width = shown.count > 60 ? "thin" : shown.count > 20 ? "medium" : "thick"
        return shown.map { point -> Markup in
            let x = x(point.at)
            return
                "<line class=\"bar \(width)\" x1=\"\(x)\" x2=\"\(x)\" y1=\"\(at: y(0))\" y2=\"\(at: y(point.most))\"><title>\(point.hover)</title></line>"
        }.joined()
    }
}
