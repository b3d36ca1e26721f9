import Checksums
import DumpCore
import Glibc
import Linux
import SystemPackage

/// The rows of one file, or of several as if they were one, as lists of lines have changed them.
///
/// A row ends with a newline, and the rows end with a line `\.`: that and what follows it is the tail. Memory does not grow with the files:
/// a row of more than `longestRow` bytes is an error.
struct RowStream: ~Copyable {
    struct Row {
        /// Where it begins in the buffer, and its bytes, the newline included.
        var start: Int
        var count: Int
        /// Its number in the files, from 1, removed lines counted too.
        var line: Int64
        /// Whether it is in the buffer of edited rows, as an edit has made it.
        var isEdited = false
    }

    /// What follows the rows: a few bytes.
    struct Tail: Equatable {
        var bytes: [UInt8] = []
        var lines: [Int64] = []
    }

    static let longestRow = 8 << 20
    /// How many rows can be looked at before the first is passed.
    static let lookahead = 64
    private let step: Int
    private static let longestTail = 64

    private let files: [FilePath]
    private let hashes: Bool
    private let stop: StopSign
    private var current = 0
    private var file: OpenFile?
    /// Of the files that were read to their end, in their order, if they are hashed.
    private(set) var digests: [FileDigest] = []

    private(set) var buffer: UnsafeMutableRawPointer
    private var capacity: Int
    /// Bytes in the buffer, those that are rows already, and those in which there is no newline behind these.
    private var end = 0
    private var scanned = 0
    private var probed = 0
    /// Of all bytes before the buffer.
    private var dropped: Int64 = 0

    private var changes: LineChanges
    private var edited = EditedRows()
    /// Of the line that was found last.
    private(set) var line: Int64 = 0
    private(set) var tail = Tail()
    private var isInTail = false

    private let queue: UnsafeMutablePointer<Row>
    private var head = 0
    private(set) var queued = 0

    /// - Parameters:
    ///   - lists: of what became of lines, the earliest first.
    ///   - hashes: whether each file's digest is made.
    init(
        _ files: [FilePath], changedBy lists: [FilePath] = [], hashing hashes: Bool = false,
        within memory: RowMemory = RowMemory(), until stop: StopSign
    ) throws(RowDeltaError) {
        (self.files, self.hashes, self.stop) = (files, hashes, stop)
        (step, capacity) = (memory.step, 2 * memory.step)
        changes = try LineChanges(lists)
        // What is allocated before an initializer throws is never given back.
        buffer = .allocate(byteCount: capacity, alignment: 64)
        queue = .allocate(capacity: Self.lookahead)
    }

    deinit {
        buffer.deallocate()
        queue.deallocate()
    }

    /// Puts as many rows in the queue as wanted, or as there are, or as fit into the buffer, and returns their number. At least one, unless
    /// all were passed.
    mutating func fill(_ wanted: Int) throws(RowDeltaError) -> Int {
        if queued == 0 { edited.empty() }
        while queued < wanted, queued == 0 || edited.count <= step {
            if probed < end, let found = memchr(buffer + probed, newline, end - probed) {
                try take(upTo: UnsafeMutableRawPointer(found) - buffer + 1)
            } else {
                probed = end
                guard try makeRoom() else { return queued }
                guard try read() else { break }
            }
        }
        guard queued > 0 || scanned == end else {
            throw .malformed(files.last ?? "", "is cut off: its last line has no end")
        }
        return queued
    }

    /// A row of the queue.
    @inline(__always)
    func row(_ place: Int) -> Row { queue[(head &+ place) & (Self.lookahead - 1)] }

    @inline(__always)
    func bytes(of row: Row) -> UnsafeRawPointer {
        UnsafeRawPointer(row.isEdited ? edited.start + row.start : buffer + row.start)
    }

    func text(of row: Row) -> UnsafeRawBufferPointer { UnsafeRawBufferPointer(start: bytes(of: row), count: row.count) }

    /// Where a row begins in all bytes of the files.
    func offset(of row: Row) -> Int64 { dropped + Int64(row.start) }

    /// Passes the first row of the queue.
    @inline(__always)
    mutating func pass() {
        head = (head &+ 1) & (Self.lookahead - 1)
        queued -= 1
    }

    private mutating func take(upTo stop: Int) throws(RowDeltaError) {
        let row = Row(start: scanned, count: stop - scanned, line: line + 1)
        line += 1
        (scanned, probed) = (stop, stop)
        guard line >= changes.first else { return try add(row) }
        guard let row = try changed(row) else { return }
        try add(row)
    }

    @inline(__always)
    private mutating func add(_ row: Row) throws(RowDeltaError) {
        if isInTail || !row.isEdited && isEnd(row) { return try addToTail(row) }
        queue[(head &+ queued) & (Self.lookahead - 1)] = row
        queued += 1
    }

    /// What became of a row: nil if it is gone.
    private mutating func changed(_ row: Row) throws(RowDeltaError) -> Row? {
        var row = row
        while changes.first <= row.line {
            if changes.isEdit {
                // What became of a line before it went is of no interest.
                if changes.first == row.line { row = try edit(row) }
            } else if changes.last >= row.line {
                return nil
            }
            try changes.advance()
        }
        return row
    }

    private mutating func edit(_ row: Row) throws(RowDeltaError) -> Row {
        if !row.isEdited { edited.add(UnsafeRawBufferPointer(start: buffer + row.start, count: row.count)) }
        guard let count = edited.changeLast(row.count, by: changes.edit) else {
            throw .malformed(files.last ?? "", "is not what its lists of lines are about")
        }
        guard count <= 2 * Self.longestRow else { throw longRow() }
        return Row(start: edited.count - count, count: count, line: row.line, isEdited: true)
    }

    private func longRow() -> RowDeltaError {
        RowDeltaError(
            .longRow,
            "\(files[min(current, files.count - 1)]) has a row of more than \(formatBytes(Int64(Self.longestRow)))")
    }

    private func isEnd(_ row: Row) -> Bool { row.count == 3 && memcmp(buffer + row.start, "\\.\n", 3) == 0 }

    private mutating func addToTail(_ row: Row) throws(RowDeltaError) {
        isInTail = true
        guard tail.bytes.count + row.count <= Self.longestTail else {
            throw .malformed(files[min(current, files.count - 1)], "has rows behind its end")
        }
        tail.bytes += text(of: row)
        tail.lines.append(row.line)
    }

    /// False if there is none as long as the rows of the queue are not passed.
    private mutating func makeRoom() throws(RowDeltaError) -> Bool {
        let kept = firstStart
        if kept > 0, end == capacity || kept >= capacity / 2 { drop(kept) }
        guard end == capacity else { return true }
        guard queued == 0 else { return false }
        guard end - scanned <= Self.longestRow else { throw longRow() }
        grow()
        return true
    }

    /// Of what is still needed of the buffer.
    private var firstStart: Int {
        for place in 0..<queued where !row(place).isEdited { return row(place).start }
        return scanned
    }

    private mutating func drop(_ count: Int) {
        memmove(buffer, buffer + count, end - count)
        end -= count
        scanned -= count
        probed -= count
        dropped += Int64(count)
        for place in 0..<queued where !row(place).isEdited {
            // As a whole: at a part of it, the compiler fails under the thread sanitizer.
            var row = row(place)
            row.start -= count
            queue[(head &+ place) & (Self.lookahead - 1)] = row
        }
    }

    private mutating func grow() {
        // Twice as much each time would be 16 MiB for a row of a little more than 8.
        capacity = min(2 * capacity, capacity + Self.longestRow / 4)
        let larger = UnsafeMutableRawPointer.allocate(byteCount: capacity, alignment: 64)
        memcpy(larger, buffer, end)
        buffer.deallocate()
        buffer = larger
    }

    /// False at the end of all files.
    private mutating func read() throws(RowDeltaError) -> Bool {
        try stop.check(RowDeltaError.self)
        while true {
            guard let open = try openFile() else { return false }
            let piece = UnsafeMutableRawBufferPointer(start: buffer + end, count: min(capacity - end, step))
            let count = try open.read(into: piece)
            if count > 0 {
                end += count
                return true
            }
            if let digest = try open.finish() { digests.append(digest) }
            file = nil
            current += 1
        }
    }

    private mutating func openFile() throws(RowDeltaError) -> OpenFile? {
        if let file { return file }
        guard current < files.count else { return nil }
        let opened = try OpenFile(files[current], hashing: hashes)
        file = opened
        return opened
    }
}

private let newline = Int32(UInt8(ascii: "\n"))

/// A file that is read once, from its start to its end.
private final class OpenFile {
    private let path: FilePath
    private let file: FileDescriptor
    private let before: FileStatus
    private let hash: SHA256?
    private var bytes: Int64 = 0

    init(_ path: FilePath, hashing hashes: Bool) throws(RowDeltaError) {
        self.path = path
        (file, before, hash) = try attempting(.cannotRead, to: "read", path) {
            let file = try FileSystem.openToRead(path)
            _ = posix_fadvise(file.rawValue, 0, 0, POSIX_FADV_SEQUENTIAL)
            return (file, try FileSystem.status(of: file), hashes ? try SHA256() : nil)
        }
        guard before.kind == .file else { throw .malformed(path, "is not a regular file") }
    }

    // It was only read.
    deinit { try? file.close() }

    func read(into piece: UnsafeMutableRawBufferPointer) throws(RowDeltaError) -> Int {
        let count = try attempting(.cannotRead, to: "read", path) {
            let count = try file.read(into: piece)
            try hash?.update(UnsafeRawBufferPointer(rebasing: piece[..<count]))
            return count
        }
        bytes += Int64(count)
        return count
    }

    /// What was read, if it is hashed. Throws when the file has changed meanwhile.
    func finish() throws(RowDeltaError) -> FileDigest? {
        try attempting(.cannotRead, to: "read", path) {
            let after = try FileSystem.status(of: file)
            guard after.bytes == bytes, after.modified == before.modified else {
                throw RowDeltaError.malformed(path, "changed while it was read")
            }
            guard let hash else { return nil }
            return FileDigest(
                sha256: try hash.finish(), bytes: bytes, inode: after.inode, modified: after.modified)
        }
    }
}
