/// How much of a table is held in memory at once: about 16 MiB with these numbers, whatever its size. A very large table takes 12 more
/// while many of its rows that have another place are compared. Tests have smaller numbers.
struct RowMemory: Sendable {
    /// Rows of each side that wait for a partner; a power of two. Each takes 36 bytes.
    var waiting = 1 << 16
    /// Numbers that are sorted; each takes 8 bytes, or 16.
    var positions = 1 << 16
    /// Bytes that are read at once.
    var step = 1 << 19
}
