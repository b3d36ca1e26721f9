/// Numbers that others tell us: a size in a listing, a sparse file of 8 EiB, a progress of 1e308. No such value ends the process; what is
/// beyond the range counts as its end.
extension Int64 {
    /// The nearest whole number in range; 0 for what is not a number.
    public init(nearest value: Double) {
        guard !value.isNaN else {
            self = 0
            return
        }
        self = Int64(exactly: value.rounded()) ?? (value < 0 ? .min : .max)
    }

    /// The sum, or the end of the range that it is beyond.
    public func plus(_ other: Int64) -> Int64 {
        let (sum, isBeyond) = addingReportingOverflow(other)
        return isBeyond ? (other < 0 ? .min : .max) : sum
    }

    /// The difference, or the end of the range that it is beyond.
    public func minus(_ other: Int64) -> Int64 {
        let (difference, isBeyond) = subtractingReportingOverflow(other)
        return isBeyond ? (other < 0 ? .max : .min) : difference
    }
}

extension Sequence<Int64> {
    /// The sum, or the end of the range that it is beyond.
    public var total: Int64 { reduce(0) { $0.plus($1) } }
}
