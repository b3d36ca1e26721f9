/// How much of a table is held in memory at once: with these numbers less than 64 MiB, whatever its size. Tests have smaller ones.
struct RowMemory: Sendable {
    /// Rows of each side that wait for a partner; a power of two. Each takes 36 bytes.
    var waiting = 1 << 18
    /// Numbers that are sorted; each takes 8 bytes.
    var positions = 1 << 19
    /// Bytes that are read at once.
    var step = 1 << 20
}
