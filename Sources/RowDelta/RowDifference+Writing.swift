import DumpCore
import Glibc
import Linux
import SystemPackage

extension RowDifference {
    /// Writes which lines are gone, and which have another text. Rows whose change takes more than the row count as gone and come.
    ///
    /// - Parameters:
    ///   - chain: the lines.
    ///   - source: the new file.
    func writeLines(
        to path: FilePath, of chain: RowChain, in source: FilePath, within memory: RowMemory, until stop: StopSign
    ) throws(RowDeltaError) {
        let file = try LinesFile(path)
        var removed = try removed.sorted()
        var gone = try removed.next()
        if changed.count > 0 {
            var pairs = try changed.sorted()
            // Rows that have changed are all over the new file.
            var editing = RowEditing(
                of: try chain.stream(within: memory, until: stop),
                to: try RowsAtOffsets(of: source, window: 8 << 10), in: source)
            while let pair = try pairs.next() {
                while let line = gone, line < pair.line {
                    try file.remove(line)
                    gone = try removed.next()
                }
                if let edits = try editing.edits(of: pair) {
                    try file.change(pair.line, by: edits)
                } else {
                    try file.remove(pair.line)
                    try added.add(pair.offset)
                }
            }
        }
        while let line = gone {
            try file.remove(line)
            gone = try removed.next()
        }
        // The end moves to the end.
        for line in movesTail ? formerTail.lines : [] { try file.remove(line) }
        try file.finish()
    }

    /// Whether rows have come behind the former end, or the end itself is another.
    private var movesTail: Bool { added.count > 0 || formerTail.bytes != tail.bytes }

    /// Writes the rows that have come, and the end behind them.
    ///
    /// - Parameters:
    ///   - source: the new file, in which they are.
    ///   - limit: how many bytes there may be.
    /// - Returns: false if there are more.
    func writeAdded(
        to path: FilePath, from source: FilePath, atMost limit: Int64, until stop: StopSign
    ) throws(RowDeltaError) -> Bool {
        let file = try BufferedFile(path)
        var rows = try RowsAtOffsets(of: source, window: 64 << 10)
        var offsets = try added.sorted()
        while let offset = try offsets.next() {
            try rows.pass(offset) { piece throws(RowDeltaError) in try file.write(piece) }
            guard file.bytes <= limit else { return false }
            try stop.check(RowDeltaError.self)
        }
        if movesTail { try file.write(tail.bytes) }
        try file.finish()
        return true
    }
}
