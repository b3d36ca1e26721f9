import DumpCore
import SystemPackage

/// Finds what has changed in rows, in the order of their lines.
struct RowEditing: ~Copyable {
    private var old: RowStream
    private var new: RowsAtOffsets
    private let source: FilePath
    private var row: [UInt8] = []

    /// - Parameters:
    ///   - old: the rows as they were, from their start.
    ///   - new: of the file with the new ones.
    init(of old: consuming RowStream, to new: consuming RowsAtOffsets, in source: FilePath) {
        self.old = old
        self.new = new
        self.source = source
    }

    /// Nil if the row itself takes less.
    mutating func edits(of pair: RowPair) throws(RowDeltaError) -> RowEdits? {
        row.removeAll(keepingCapacity: true)
        try new.pass(pair.offset) { piece throws(RowDeltaError) in row.append(contentsOf: piece) }
        while try old.fill(1) > 0 {
            let former = old.row(0)
            guard former.line >= pair.line else {
                old.pass()
                continue
            }
            guard former.line == pair.line else { break }
            let edits = row.withUnsafeBytes { RowEdits(from: old.text(of: former), to: $0) }
            return edits.bytes <= row.count ? edits : nil
        }
        throw .malformed(source, "has changed rows of lines that are not there")
    }
}
