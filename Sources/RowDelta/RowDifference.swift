import DumpCore

/// What of a table's rows is not as it was.
struct RowDifference {
    /// Numbers of the lines that are rows no longer.
    var removed: SortedOnDisk<Int64>
    /// Where rows that have come begin in the new file.
    var added: SortedOnDisk<Int64>
    /// Rows that have changed.
    var changed: SortedOnDisk<RowPair>
    /// What follows the rows, before and now.
    var formerTail: RowStream.Tail
    var tail: RowStream.Tail
    /// Of all rows that there are now.
    var sums: RowSums
    /// Of the files that were compared with.
    var digests: [FileDigest]

    var isEmpty: Bool {
        removed.count == 0 && added.count == 0 && changed.count == 0 && formerTail.bytes == tail.bytes
    }
}
