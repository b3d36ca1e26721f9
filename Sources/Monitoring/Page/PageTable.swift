/// A table: each column has a head, and each row begins with one.
struct PageTable {
    struct Column {
        var title: Markup
        var isNumber = false
    }

    var caption: Markup
    var columns: [Column]
    var rows: [[Markup]]
    /// Whether the caption is seen: where no heading right above says the same.
    var showsCaption = false

    /// - Parameter titles: a column of numbers ends with `#`, which is not shown.
    init(_ caption: Markup, _ titles: [String], _ rows: [[Markup]], showsCaption: Bool = false) {
        (self.caption, self.showsCaption) = (caption, showsCaption)
        columns = titles.map {
            Column(title: Markup(of: $0.hasSuffix("#") ? String($0.dropLast()) : $0), isNumber: $0.hasSuffix("#"))
        }
        self.rows = rows
    }

    /// It scrolls by itself on a narrow screen, also by keys.
    var html: Markup {
        """
        <div class="scroll" role="region" aria-label="\(caption)" tabindex="0"><table><caption\(showsCaption ? "" : " class=\"hidden\"" as Markup)>\(caption)</caption><thead><tr>\
        \(columns.map { "<th scope=\"col\"\($0.isNumber ? " class=\"number\"" : "")>\($0.title)</th>" as Markup })</tr></thead>
        <tbody>\(rows.map(row))</tbody></table></div>

        """
    }

    /// Behind a plot.
    var folded: Markup { folded(with: "") }

    func folded(with remainder: Markup) -> Markup {
        "<details><summary>The numbers<span class=\"hidden\">: \(caption)</span></summary>\(html)\(remainder)</details>\n"
    }

    private func row(_ cells: [Markup]) -> Markup {
        var row: Markup = "<tr>"
        for (place, cell) in cells.enumerated() {
            row += place == 0 ? "<th scope=\"row\">\(cell)</th>" : "<td>\(cell)</td>"
        }
        row += "</tr>\n"
        return row
    }
}
