import DumpCore

/// Rows under a heading, in aligned columns. What does not fit a terminal is left out by whole columns, the least telling first.
struct Table {
    struct Column {
        var title: String
        /// Which goes first when there is no room: the highest. A column of rank 0 never goes.
        var rank = 0
        var isNumber = false
    }

    var columns: [Column]
    /// Each as many cells as there are columns.
    let rows: [[String]]

    init(columns: [Column], rows: [[String]]) {
        self.columns = columns
        self.rows = Self.legible(rows)
    }

    /// Before anything is measured.
    private static func legible(_ rows: [[String]]) -> [[String]] { rows.map { $0.map(\.onOneLine) } }

    /// - Parameter width: in columns of a terminal; nil without one, for all of the table.
    func lines(width: Int?) -> [String] {
        var shown = Array(columns.indices)
        while let width, total(shown) > width, let least = shown.max(by: { columns[$0].rank < columns[$1].rank }),
            columns[least].rank > 0
        {
            shown.removeAll { $0 == least }
        }
        return ([columns.map(\.title)] + rows).map { row in line(row, shown) }
    }

    private static let gap = "  "

    private func width(of column: Int) -> Int {
        rows.reduce(columns[column].title.columns) { max($0, $1[column].columns) }
    }

    private func total(_ shown: [Int]) -> Int {
        shown.reduce(0) { $0 + width(of: $1) } + Self.gap.count * max(shown.count - 1, 0)
    }

    private func line(_ row: [String], _ shown: [Int]) -> String {
        let cells = shown.map { column in
            let padding = String(repeating: " ", count: width(of: column) - row[column].columns)
            return columns[column].isNumber ? padding + row[column] : row[column] + padding
        }
        let line = cells.joined(separator: Self.gap)
        return String(line.reversed().drop { $0 == " " }.reversed())
    }
}
