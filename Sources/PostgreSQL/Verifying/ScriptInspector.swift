import Glibc

/// Reads a script of pg_dumpall as it goes by, for the lines that show it to be whole.
///
/// It must end with `-- PostgreSQL database cluster dump complete`. After that only empty lines, `--` and, from the releases of August 2025
/// on, `\unrestrict` may come. For each database there must be its heading and an end.
struct ScriptInspector {
    private var headings: Set<[UInt8]> = []
    private var ends = 0
    private(set) var isComplete = false
    /// Whether the script makes psql take no more commands of its own, before anything of a database comes.
    private(set) var isRestricted = false
    /// The beginning of a line whose end has not come yet.
    private var line: [UInt8] = []

    /// Longer than any line that matters: a heading holds a name of 63 bytes at most.
    private static let longestLine = 128
    private static let clusterEnd = Array("-- PostgreSQL database cluster dump complete".utf8)
    private static let databaseEnd = Array("-- PostgreSQL database dump complete".utf8)
    private static let heading = Array("-- Database \"".utf8)
    private static let restrict = Array("\\restrict ".utf8)
    private static let unrestrict = Array("\\unrestrict ".utf8)

    mutating func take(_ chunk: UnsafeRawBufferPointer) {
        var rest = chunk[...]
        while let first = rest.first {
            let start = chunk.baseAddress! + rest.startIndex
            let newline = memchr(start, Int32(UInt8(ascii: "\n")), rest.count)
            let end = newline.map { rest.startIndex + start.distance(to: $0) } ?? rest.endIndex
            if line.isEmpty, newline != nil, !Self.mayMatter(first) {
                isComplete = false
            } else {
                line.append(contentsOf: rest[..<end].prefix(Self.longestLine - line.count))
                guard newline != nil else { return }
                endLine()
            }
            rest = rest[(end + 1)...]
        }
    }

    /// Most lines are rows, and need not even be copied.
    private static func mayMatter(_ first: UInt8) -> Bool {
        first == UInt8(ascii: "-") || first == UInt8(ascii: "\\") || first == UInt8(ascii: "\n")
    }

    /// The databases among `expected` that are not, or not wholly, in the script. Needs all of it to have gone by.
    func missing(from expected: [String]) -> [String] {
        let missing = expected.filter { !headings.contains(Array("-- Database \"\($0)\" dump".utf8)) }
        guard missing.isEmpty, ends < expected.count else { return missing }
        return expected
    }

    private mutating func endLine() {
        defer { line.removeAll(keepingCapacity: true) }
        if line.isEmpty || line == [UInt8(ascii: "-"), UInt8(ascii: "-")] || line.starts(with: Self.unrestrict) {
            return
        }
        isComplete = line == Self.clusterEnd
        if headings.isEmpty, line.starts(with: Self.restrict) { isRestricted = true }
        if line == Self.databaseEnd { ends += 1 }
        if line.starts(with: Self.heading) { headings.insert(line) }
    }
}
