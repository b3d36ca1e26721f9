import DumpCore
import Linux
import SystemPackage

/// A range of line numbers that are no longer part of a table, both included.
struct RemovedRange: Equatable {
    var first: Int64
    var last: Int64
}

/// The ranges of one `.gone` file, in their order. Memory does not grow with the file.
final class RemovedList {
    private let path: FilePath
    private let file: FileDescriptor
    private var lines: ByteLines
    private(set) var next: RemovedRange?

    init(_ path: FilePath) throws(RowDeltaError) {
        self.path = path
        file = try attempting(.cannotRead, to: "read", path) {
            try FileDescriptor.open(path, .readOnly, options: [.noFollow, .closeOnExec, .nonBlocking])
        }
        lines = ByteLines(file)
        try advance()
    }

    // It was only read.
    deinit { try? file.close() }

    func advance() throws(RowDeltaError) {
        let last = next?.last ?? 0
        do {
            guard let line = try lines.next() else {
                next = nil
                return
            }
            guard let range = RemovedRange(line), range.first > last else {
                throw RowDeltaError.malformed(path, "is not a list of line numbers")
            }
            next = range
        } catch is ByteLines.CutOff {
            throw .malformed(path, "is cut off")
        } catch let error as RowDeltaError {
            throw error
        } catch {
            throw RowDeltaError(.cannotRead, "cannot read \(path): \(error)", underlying: error)
        }
    }
}

extension RemovedRange {
    /// The range in a line such as `17 20`. Nil for anything else.
    init?(_ line: ArraySlice<UInt8>) {
        let words = line.split(separator: UInt8(ascii: " "), omittingEmptySubsequences: false)
        guard words.count == 2, let first = Self.number(words[0]), let last = Self.number(words[1]), first >= 1,
            first <= last
        else { return nil }
        (self.first, self.last) = (first, last)
    }

    private static func number(_ digits: ArraySlice<UInt8>) -> Int64? {
        // More lines than any file has, and no more than an awk counts.
        guard !digits.isEmpty, digits.count <= 15 else { return nil }
        var number: Int64 = 0
        for digit in digits {
            guard (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(digit) else { return nil }
            number = number * 10 + Int64(digit - UInt8(ascii: "0"))
        }
        return number
    }

    func append(to bytes: inout [UInt8]) {
        bytes.append(number: UInt64(first))
        bytes.append(UInt8(ascii: " "))
        bytes.append(number: UInt64(last))
        bytes.append(UInt8(ascii: "\n"))
    }
}

/// The ranges of several lists as one, in their order. A line is removed once.
struct RemovedLines: ~Copyable {
    private let lists: [RemovedList]
    /// The range at hand; one beyond all lines at the end.
    private(set) var first = Int64.max
    private(set) var last = Int64.max

    /// - Parameter lists: none of which was read any further.
    init(_ lists: [RemovedList]) { self.lists = lists }

    static func open(_ paths: [FilePath]) throws(RowDeltaError) -> RemovedLines {
        var lists: [RemovedList] = []
        for path in paths { lists.append(try RemovedList(path)) }
        var removed = RemovedLines(lists)
        try removed.advance()
        return removed
    }

    mutating func advance() throws(RowDeltaError) {
        var earliest: RemovedList?
        for list in lists {
            guard let range = list.next else { continue }
            if let known = earliest?.next, known.first <= range.first { continue }
            earliest = list
        }
        guard let earliest, let range = earliest.next else {
            (first, last) = (.max, .max)
            return
        }
        (first, last) = (range.first, range.last)
        try earliest.advance()
    }
}
