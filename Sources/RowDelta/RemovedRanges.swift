/// Line numbers in their order, as ranges.
struct RemovedRanges {
    private var range: RemovedRange?

    /// Adds a line. Returns a range that has come to its end.
    mutating func add(_ line: Int64) -> RemovedRange? { add(RemovedRange(first: line, last: line)) }

    mutating func add(_ next: RemovedRange) -> RemovedRange? {
        if let range, range.last + 1 == next.first {
            self.range = RemovedRange(first: range.first, last: next.last)
            return nil
        }
        defer { range = next }
        return range
    }

    /// The last one.
    mutating func finish() -> RemovedRange? {
        defer { range = nil }
        return range
    }
}
