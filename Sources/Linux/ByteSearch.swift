import CLinux

extension UnsafeRawBufferPointer {
    /// Whether these bytes have `part` in them, whole and in one piece. An empty part is in all.
    public func contains(_ part: UnsafeRawBufferPointer) -> Bool {
        guard let start = baseAddress, let wanted = part.baseAddress else { return part.isEmpty }
        return clinux_contains(start, count, wanted, part.count) != 0
    }
}
