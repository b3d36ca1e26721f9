import Linux
import SystemPackage

/// The values of a `PathSpool` in the order of their paths, read beside a walk.
public struct PathSpoolReader: Sendable {
    public typealias Record = (path: [UInt8], value: [UInt8])

    private var portions: [Portion]
    /// Places of the portions that are not at their end, in the order of their next paths. Nil until they have been read for the first time.
    private var order: [Int]?
    // Keeps the file open.
    private let spool: PathSpool

    init(_ portions: [Portion], of spool: PathSpool) {
        self.portions = portions
        self.spool = spool
    }

    /// The path that comes next, or nil at the end.
    public mutating func peek() throws(Errno) -> FilePath? { try peekBytes().map { FilePath(bytes: $0) ?? FilePath() } }

    public mutating func next() throws(Errno) -> (path: FilePath, value: [UInt8])? {
        try nextBytes().map { (FilePath(bytes: $0.path) ?? FilePath(), $0.value) }
    }

    /// The path that comes next as it was added, or nil at the end.
    public mutating func peekBytes() throws(Errno) -> [UInt8]? { try first().map { portions[$0].path } }

    public mutating func nextBytes() throws(Errno) -> Record? {
        guard let first = try first() else { return nil }
        defer { portions[first].isRead = false }
        return (portions[first].path, portions[first].value)
    }

    /// The portion whose next path precedes those of all others.
    private mutating func first() throws(Errno) -> Int? {
        if order == nil {
            order = []
            for place in portions.indices { try queue(place) }
        } else if let place = order?.first, !portions[place].isRead {
            order?.removeFirst()
            try queue(place)
        }
        return order?.first
    }

    /// Puts a portion to where its next path belongs, unless it has none.
    private mutating func queue(_ place: Int) throws(Errno) {
        guard try portions[place].read(), var order else { return }
        self.order = nil
        var (low, high) = (0, order.count)
        while low < high {
            let middle = (low + high) / 2
            if comes(order[middle], before: place) {
                low = middle + 1
            } else {
                high = middle
            }
        }
        order.insert(place, at: low)
        self.order = order
    }

    /// Of equal paths, the one that was added first comes first.
    private func comes(_ one: Int, before other: Int) -> Bool {
        let (path, otherPath) = (portions[one].path, portions[other].path)
        return TreeEntry.precedes(path, otherPath) || one < other && !TreeEntry.precedes(otherPath, path)
    }

    /// Records that are sorted already.
    struct Portion: Sendable {
        private(set) var path: [UInt8] = []
        private(set) var value: [UInt8] = []
        /// Whether `path` and `value` are those of the next record.
        var isRead = false

        /// Nil if it is in memory.
        private let file: FileDescriptor?
        private var rest: Range<Int64>
        private var buffer: [UInt8]
        private var place = 0
        private let starts: [Int]

        private static let chunk = 16 * 1024

        init(of file: FileDescriptor, _ range: Range<Int64>) {
            (self.file, rest, buffer, starts) = (file, range, [], [])
        }

        init(of records: [UInt8], _ starts: [Int]) {
            (file, rest, buffer, self.starts) = (nil, 0..<Int64(starts.count), records, starts)
        }

        /// False at the end.
        mutating func read() throws(Errno) -> Bool {
            guard !isRead else { return true }
            guard let start = try start() else { return false }
            (path, value) = buffer.withUnsafeBytes { bytes in
                let path = bytes.path(at: start)
                let end = start + UnsafeRawBufferPointer.recordHead + path.count
                return (Array(path), Array(bytes[end..<(end + bytes.lengths(at: start).value)]))
            }
            isRead = true
            return true
        }

        /// Where the next record starts in `buffer`.
        private mutating func start() throws(Errno) -> Int? {
            guard let file else {
                defer { place += 1 }
                return place < starts.count ? starts[place] : nil
            }
            guard place < buffer.count || !rest.isEmpty else { return nil }
            let head = UnsafeRawBufferPointer.recordHead
            try fill(head, from: file)
            let lengths = buffer.withUnsafeBytes { [place] in $0.lengths(at: place) }
            try fill(head + lengths.path + lengths.value, from: file)
            defer { place += head + lengths.path + lengths.value }
            return place
        }

        /// Makes sure that so many bytes are there.
        private mutating func fill(_ count: Int, from file: FileDescriptor) throws(Errno) {
            guard buffer.count - place < count else { return }
            buffer.removeSubrange(..<place)
            place = 0
            while buffer.count < count {
                let wanted = Int(min(Int64(Self.chunk), Int64(rest.count)))
                let (offset, known) = (rest.lowerBound, buffer.count)
                buffer += repeatElement(0, count: wanted)
                let read: Int
                do {
                    read = try buffer.withUnsafeMutableBytes {
                        try file.read(
                            fromAbsoluteOffset: offset, into: UnsafeMutableRawBufferPointer(rebasing: $0[known...]))
                    }
                } catch {
                    throw error as? Errno ?? .ioError
                }
                // It is our own file: what was written is there.
                guard read > 0 else { throw .ioError }
                buffer.removeSubrange((known + read)...)
                rest = (offset + Int64(read))..<rest.upperBound
            }
        }
    }
}
