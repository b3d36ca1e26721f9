import Glibc

/// Looks in a script of pg_dumpall, as it goes by, for tables without rows.
struct EmptyTableSearch {
    struct Table: Hashable, Sendable {
        var database: String
        /// Quoted where it must be: `public.orders`.
        var name: String
    }

    let wanted: Set<Table>
    private(set) var found: Set<Table> = []
    private var database: [UInt8] = []
    /// The table whose first row, or end, comes next.
    private var begun: Table?
    private var line: [UInt8] = []

    private static let heading = Array("-- Database \"".utf8)
    private static let headingEnd = Array("\" dump".utf8)
    private static let copy = Array("COPY ".utf8)
    /// `COPY`, and the names of a schema and a table, quoted, with every byte doubled.
    private static let longestLine = 300

    init(for wanted: Set<Table>) { self.wanted = wanted }

    mutating func take(_ chunk: UnsafeRawBufferPointer) {
        var rest = chunk[...]
        while !rest.isEmpty {
            let start = chunk.baseAddress! + rest.startIndex
            let newline = memchr(start, Int32(UInt8(ascii: "\n")), rest.count)
            let end = newline.map { rest.startIndex + start.distance(to: $0) } ?? rest.endIndex
            line.append(contentsOf: rest[..<end].prefix(Self.longestLine - line.count))
            guard newline != nil else { return }
            endLine()
            rest = rest[(end + 1)...]
        }
    }

    private mutating func endLine() {
        defer { line.removeAll(keepingCapacity: true) }
        if let begun {
            if line.elementsEqual("\\.".utf8) { found.insert(begun) }
            self.begun = nil
        }
        // By bytes: a name may begin with what combines with the quote before it.
        if line.starts(with: Self.heading), line.suffix(Self.headingEnd.count).elementsEqual(Self.headingEnd) {
            database = Array(line.dropFirst(Self.heading.count).dropLast(Self.headingEnd.count))
        } else if line.starts(with: Self.copy) {
            begun = wanted.first { table in
                table.database.utf8.elementsEqual(database) && line.starts(with: "COPY \(table.name) ".utf8)
            }
        }
    }
}
