extension String {
    /// An ASCII character so many times. `String(repeating:count:)` appends them one by one: a second for 64 MiB.
    public init(_ count: Int, of character: Unicode.Scalar) {
        self.init(unsafeUninitializedCapacity: count) { bytes in
            bytes.initialize(repeating: UInt8(ascii: character))
            return count
        }
    }
}
