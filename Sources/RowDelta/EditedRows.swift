import Glibc

/// Rows that edits have made others, one behind the other, for as long as a stream has them in its queue.
struct EditedRows: ~Copyable {
    private(set) var start = UnsafeMutableRawPointer.allocate(byteCount: 4096, alignment: 16)
    private var capacity = 4096
    /// Bytes that are used.
    private(set) var count = 0

    /// What a row may leave allocated.
    private static let most = 2 << 20

    deinit { start.deallocate() }

    mutating func empty() {
        count = 0
        if capacity > Self.most { resize(to: 4096) }
    }

    mutating func add(_ row: UnsafeRawBufferPointer) {
        makeRoom(for: row.count)
        if let base = row.baseAddress { memcpy(start + count, base, row.count) }
        count += row.count
    }

    /// Changes the last row. Returns how many bytes it has now, or nil if it has not what the edit is about.
    ///
    /// - Parameter bytes: of the row, its newline included.
    mutating func changeLast(_ bytes: Int, by edit: LineList.Edit) -> Int? {
        let text = edit.text.count
        guard edit.start < bytes, edit.count < bytes - edit.start else { return nil }
        makeRoom(for: text)
        let place = start + count - bytes + edit.start
        memmove(place + text, place + edit.count, bytes - edit.start - edit.count)
        if let base = edit.text.baseAddress { memcpy(place, base, text) }
        count += text - edit.count
        return bytes + text - edit.count
    }

    private mutating func makeRoom(for more: Int) {
        guard count + more > capacity else { return }
        resize(to: max(count + more, min(2 * capacity, capacity + Self.most)))
    }

    private mutating func resize(to bytes: Int) {
        let other = UnsafeMutableRawPointer.allocate(byteCount: bytes, alignment: 16)
        memcpy(other, start, count)
        start.deallocate()
        (start, capacity) = (other, bytes)
    }
}
