import DumpCore
import SystemPackage

/// A row that has changed: the number of its line, and where its new text begins in the new file.
struct RowPair: Comparable, BitwiseCopyable {
    var line: Int64
    var offset: Int64

    static func < (one: Self, other: Self) -> Bool { one.line < other.line }
}

/// Tells rows that have changed from rows that came and rows that went: they have the same first column. In memory of a fixed size.
struct RowPairing {
    let removed: SortedOnDisk<Int64>
    let added: SortedOnDisk<Int64>
    let pairs: SortedOnDisk<RowPair>
    private let spill: RowSpill

    init(in directory: FilePath, within memory: RowMemory) throws(RowDeltaError) {
        removed = SortedOnDisk(in: directory, holding: memory.positions)
        added = SortedOnDisk(in: directory, holding: memory.positions)
        pairs = SortedOnDisk(in: directory, holding: memory.positions)
        spill = try RowSpill(in: directory, parts: 64)
    }

    /// Adds a row without a partner.
    ///
    /// - Parameter entry: with a hash for partners.
    func add(_ entry: RowSpill.Entry, of side: RowSpill.Side) throws(RowDeltaError) {
        let column = RowSpill.Entry(hash: RowHash(high: 0, low: entry.hash.high), position: entry.position)
        // A table may have the same first column in every row.
        guard try !spill.add(column, of: side) else { return }
        try (side == .old ? removed : added).add(entry.position)
    }

    /// To be called once, as the last thing.
    func finish() throws(RowDeltaError) {
        try spill.join { old, new throws(RowDeltaError) in
            switch (old, new) {
            case (let old?, let new?): try pairs.add(RowPair(line: old.position, offset: new.position))
            case (let old?, nil): try removed.add(old.position)
            case (nil, let new?): try added.add(new.position)
            case (nil, nil): break
            }
        }
    }
}
