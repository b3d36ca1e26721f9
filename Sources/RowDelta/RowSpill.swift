import DumpCore
import Linux
import SystemPackage

/// Rows without a partner that no longer fit into memory, in a file without a name. They are sorted into parts by their hashes, so that both
/// rows of a pair are in the same part.
final class RowSpill {
    struct Entry {
        var hash: RowHash
        var position: Int64
    }

    enum Side: Int { case old, new }

    private struct Part {
        var filled = 0
        /// The blocks of the file, by their numbers.
        var blocks: [UInt32] = []
    }

    private static let entriesOfBlock = 170
    private static let blockSize = 4096
    /// The limit for one part and side: half a million, which take 12 MiB.
    private static let mostBlocks = 3072

    private let directory: FilePath
    private let file: FileDescriptor
    private let partsOfSide: Int
    private var parts: [Part]
    private let blocks: UnsafeMutablePointer<Entry>
    private var written: UInt32 = 0

    /// - Parameter partsOfSide: each takes 4 KiB, and only one is in memory as a whole.
    init(in directory: FilePath, parts partsOfSide: Int) throws(RowDeltaError) {
        (self.directory, self.partsOfSide) = (directory, partsOfSide)
        parts = [Part](repeating: Part(), count: 2 * partsOfSide)
        file = try attempting(.system, to: "write in", directory) { try FileSystem.unnamedFile(in: directory) }
        blocks = .allocate(capacity: 2 * partsOfSide * Self.entriesOfBlock)
    }

    deinit {
        blocks.deallocate()
        // It has no name.
        try? file.close()
    }

    /// False if there is no room: too many rows of the part are there.
    func add(_ entry: Entry, of side: Side) throws(RowDeltaError) -> Bool {
        let number = side.rawValue * partsOfSide + Int(entry.hash.low % UInt64(partsOfSide))
        guard parts[number].blocks.count < Self.mostBlocks else { return false }
        blocks[number * Self.entriesOfBlock + parts[number].filled] = entry
        parts[number].filled += 1
        if parts[number].filled == Self.entriesOfBlock { try write(number) }
        return true
    }

    private func write(_ number: Int) throws(RowDeltaError) {
        let bytes = UnsafeRawBufferPointer(
            start: blocks + number * Self.entriesOfBlock, count: Self.entriesOfBlock * MemoryLayout<Entry>.stride)
        try attempting(.system, to: "write in", directory) {
            _ = try file.writeAll(toAbsoluteOffset: Int64(written) * Int64(Self.blockSize), bytes)
        }
        parts[number].blocks.append(written)
        parts[number].filled = 0
        written += 1
    }

    /// Calls `body` for each row, with its partner of the same hash if it has one, part by part. Of several with one hash, the first of a side is
    /// the partner of the first of the other. To be called once.
    func join(_ body: (_ old: Entry?, _ new: Entry?) throws(RowDeltaError) -> Void) throws(RowDeltaError) {
        for part in 0..<partsOfSide {
            let (old, new) = (try entries(of: part), try entries(of: partsOfSide + part))
            var (left, right) = (0, 0)
            while left < old.count || right < new.count {
                if right == new.count || left < old.count && old[left].hash < new[right].hash {
                    try body(old[left], nil)
                    left += 1
                } else if left == old.count || new[right].hash < old[left].hash {
                    try body(nil, new[right])
                    right += 1
                } else {
                    try body(old[left], new[right])
                    (left, right) = (left + 1, right + 1)
                }
            }
        }
    }

    /// By hash, then in the order in which they were.
    private func entries(of number: Int) throws(RowDeltaError) -> [Entry] {
        let part = parts[number]
        let count = part.blocks.count * Self.entriesOfBlock + part.filled
        var entries = [Entry](unsafeUninitializedCapacity: count) { entries, filled in
            for place in 0..<part.filled {
                (entries.baseAddress! + place).initialize(to: blocks[number * Self.entriesOfBlock + place])
            }
            filled = part.filled
        }
        let size = Self.entriesOfBlock * MemoryLayout<Entry>.stride
        let block = UnsafeMutableRawBufferPointer.allocate(byteCount: size, alignment: 16)
        defer { block.deallocate() }
        for place in part.blocks {
            try attempting(.system, to: "read in", directory) {
                guard try file.readFully(into: block, at: Int64(place) * Int64(Self.blockSize)) == size else {
                    throw Errno.ioError
                }
            }
            entries.append(contentsOf: block.bindMemory(to: Entry.self))
        }
        entries.sort { ($0.hash.high, $0.hash.low, $0.position) < ($1.hash.high, $1.hash.low, $1.position) }
        return entries
    }
}

extension RowHash: Comparable {
    static func < (left: Self, right: Self) -> Bool { (left.high, left.low) < (right.high, right.low) }
}
