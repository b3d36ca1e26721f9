import DumpCore
import Glibc

/// What makes one row of another: the pieces in which they differ, column by column.
struct RowEdits {
    /// What a `.lines` file has of each, from the last piece to the first, without the line's number.
    let lines: [[UInt8]]

    var bytes: Int { lines.reduce(0) { $0 + $1.count } }

    /// Of two rows with their newlines.
    init(from old: UnsafeRawBufferPointer, to new: UnsafeRawBufferPointer) {
        let (old, new) = (Self.text(of: old), Self.text(of: new))
        lines = Self.pieces(old, new).reversed().flatMap { Self.lines(of: $0, new) }
    }

    private struct Piece {
        var old: Range<Int>
        var new: Range<Int>
    }

    /// Another line costs about as much.
    private static let leastGap = 10

    private static func text(of row: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        UnsafeRawBufferPointer(rebasing: row.dropLast())
    }

    /// In their order.
    private static func pieces(_ old: UnsafeRawBufferPointer, _ new: UnsafeRawBufferPointer) -> [Piece] {
        let whole = Piece(old: 0..<old.count, new: 0..<new.count)
        var pieces: [Piece] = []
        var (start, other) = (0, 0)
        while true {
            let (end, otherEnd) = (columnEnd(old, start), columnEnd(new, other))
            // Another number of columns.
            guard (end == old.count) == (otherEnd == new.count) else { return [trimmed(whole, old, new)] }
            let piece = trimmed(Piece(old: start..<end, new: other..<otherEnd), old, new)
            if !piece.old.isEmpty || !piece.new.isEmpty { add(piece, to: &pieces) }
            guard end < old.count else { return pieces }
            (start, other) = (end + 1, otherEnd + 1)
        }
    }

    private static func add(_ piece: Piece, to pieces: inout [Piece]) {
        guard let last = pieces.last, piece.old.lowerBound - last.old.upperBound < leastGap else {
            return pieces.append(piece)
        }
        pieces[pieces.count - 1] = Piece(
            old: last.old.lowerBound..<piece.old.upperBound, new: last.new.lowerBound..<piece.new.upperBound)
    }

    private static func columnEnd(_ row: UnsafeRawBufferPointer, _ start: Int) -> Int {
        guard start < row.count, let base = row.baseAddress,
            let found = memchr(base + start, Int32(UInt8(ascii: "\t")), row.count - start)
        else { return row.count }
        return UnsafeRawPointer(found) - base
    }

    /// Without what both begin and end with.
    private static func trimmed(
        _ piece: Piece, _ old: UnsafeRawBufferPointer, _ new: UnsafeRawBufferPointer
    ) -> Piece {
        var (from, to) = (piece.old, piece.new)
        while !from.isEmpty, !to.isEmpty, old[from.lowerBound] == new[to.lowerBound] {
            (from, to) = (from.lowerBound + 1..<from.upperBound, to.lowerBound + 1..<to.upperBound)
        }
        while !from.isEmpty, !to.isEmpty, old[from.upperBound - 1] == new[to.upperBound - 1] {
            (from, to) = (from.lowerBound..<from.upperBound - 1, to.lowerBound..<to.upperBound - 1)
        }
        return Piece(old: from, new: to)
    }

    /// A long text is put in piece by piece.
    private static func lines(of piece: Piece, _ new: UnsafeRawBufferPointer) -> [[UInt8]] {
        var lines: [[UInt8]] = []
        var (start, left, count) = (piece.old.lowerBound, piece.new, piece.old.count)
        repeat {
            let text = left.prefix(LineList.longestText)
            var line: [UInt8] = []
            line.append(number: UInt64(start))
            line.append(UInt8(ascii: " "))
            line.append(number: UInt64(count))
            line.append(UInt8(ascii: " "))
            line.append(contentsOf: new[text])
            line.append(UInt8(ascii: "\n"))
            lines.append(line)
            (start, left, count) = (start + text.count, left.dropFirst(text.count), 0)
        } while !left.isEmpty
        return lines
    }
}
