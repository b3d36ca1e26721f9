import DumpCore
import Glibc
import Linux
import SystemPackage

/// A `.lines` file, read line by line in memory of a fixed size. It says what became of lines of the `.rows` files before it:
///
///     5 2            two lines from there are gone
///     93 17 4 1200   the 4 bytes behind the first 17 of the line there are now "1200"
///
/// The first number is how far the line is from the one that the line above is about. It is 0 where a row has several pieces that changed: each
/// counts in the row as the ones above have left it.
final class LineList {
    struct Edit {
        /// How many bytes stay before it, and how many it replaces.
        var start: Int
        var count: Int
        var text: UnsafeRawBufferPointer
    }

    /// The longest text of one edit; longer ones are written as several.
    static let longestText = 8 << 10

    private let path: FilePath
    private let file: FileDescriptor
    /// Among all lists.
    private let order: Int
    private let buffer: UnsafeMutableRawPointer
    private var start = 0
    private var end = 0

    private static let size = 16 << 10

    /// What is at hand; beyond all lines at the end.
    private(set) var first: Int64 = 0
    private(set) var last: Int64 = 0
    private(set) var isEdit = false
    private(set) var edit = Edit(start: 0, count: 0, text: UnsafeRawBufferPointer(start: nil, count: 0))

    init(_ path: FilePath, order: Int) throws(RowDeltaError) {
        (self.path, self.order) = (path, order)
        file = try attempting(.cannotRead, to: "read", path) {
            try FileSystem.openToRead(path)
        }
        buffer = .allocate(byteCount: Self.size, alignment: 64)
        try advance()
    }

    deinit {
        buffer.deallocate()
        // It was only read.
        try? file.close()
    }

    func precedes(_ other: LineList) -> Bool { first < other.first || first == other.first && order < other.order }

    func advance() throws(RowDeltaError) {
        guard let line = try nextLine() else {
            (first, last) = (.max, .max)
            return
        }
        guard parse(line) else { throw .malformed(path, "is not a list of lines") }
    }

    private func nextLine() throws(RowDeltaError) -> UnsafeRawBufferPointer? {
        var searched = start
        while true {
            if searched < end, let found = memchr(buffer + searched, Int32(UInt8(ascii: "\n")), end - searched) {
                let stop = UnsafeMutableRawPointer(found) - buffer
                defer { start = stop + 1 }
                return UnsafeRawBufferPointer(start: buffer + start, count: stop - start)
            }
            memmove(buffer, buffer + start, end - start)
            (start, end) = (0, end - start)
            searched = end
            guard end < Self.size else { throw .malformed(path, "is not a list of lines") }
            let room = UnsafeMutableRawBufferPointer(start: buffer + end, count: Self.size - end)
            let count = try attempting(.cannotRead, to: "read", path) { try file.read(into: room) }
            guard count > 0 else {
                guard end == 0 else { throw .malformed(path, "is cut off") }
                return nil
            }
            end += count
        }
    }

    /// False unless the line is one of ours, and about what comes behind the one above.
    private func parse(_ line: UnsafeRawBufferPointer) -> Bool {
        var rest = line
        guard let distance = Self.number(&rest), let number = Self.number(&rest) else { return false }
        let (before, wasEdit) = (last, isEdit)
        first += distance
        if rest.baseAddress == nil {
            (last, isEdit) = (first + number - 1, false)
            return first > before && number > 0
        }
        guard let count = Self.number(&rest), rest.baseAddress != nil else { return false }
        (last, isEdit) = (first, true)
        edit = Edit(start: Int(number), count: Int(count), text: rest)
        return first > before || wasEdit && first == before
    }

    /// Takes a number and the blank behind it. Nothing at all is left where no blank follows.
    private static func number(_ line: inout UnsafeRawBufferPointer) -> Int64? {
        var (number, digits) = (Int64(0), 0)
        // More lines than any file has, and no more than an awk counts.
        while digits < min(line.count, 16), case let digit = line[digits], digit &- UInt8(ascii: "0") < 10 {
            number = number * 10 + Int64(digit - UInt8(ascii: "0"))
            digits += 1
        }
        guard digits > 0, digits < 16 else { return nil }
        guard digits < line.count else {
            line = UnsafeRawBufferPointer(start: nil, count: 0)
            return number
        }
        guard line[digits] == UInt8(ascii: " ") else { return nil }
        line = UnsafeRawBufferPointer(rebasing: line[(digits + 1)...])
        return number
    }
}
