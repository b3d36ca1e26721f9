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

    private static let partsOfSide = 512
    private static let entriesOfBlock = 170
    private static let blockSize = 4096
    /// The limit for one part and side: half a million, which take 12 MiB.
    private static let mostBlocks = 3072

    private let directory: FilePath
    private let file: FileDescriptor
    private var parts = [Part](repeating: Part(), count: 2 * partsOfSide)
    private let blocks: UnsafeMutablePointer<Entry>
    private var written: UInt32 = 0

    init(in directory: FilePath) throws(RowDeltaError) {
        self.directory = directory
        file = try attempting(.system, to: "write in", directory) { try FileSystem.unnamedFile(in: directory) }
        blocks = .allocate(capacity: 2 * Self.partsOfSide * Self.entriesOfBlock)
    }

    deinit {
        blocks.deallocate()
        // It has no name.
        try? file.close()
    }

    func add(_ entry: Entry, of side: Side) throws(RowDeltaError) {
        let number = side.rawValue * Self.partsOfSide + Int(entry.hash.high % UInt64(Self.partsOfSide))
        blocks[number * Self.entriesOfBlock + parts[number].filled] = entry
        parts[number].filled += 1
        if parts[number].filled == Self.entriesOfBlock { try write(number) }
    }

    private func write(_ number: Int) throws(RowDeltaError) {
        guard parts[number].blocks.count < Self.mostBlocks else {
            throw RowDeltaError(.scatteredRows, "too many rows have another place than before")
        }
        let bytes = UnsafeRawBufferPointer(
            start: blocks + number * Self.entriesOfBlock, count: Self.entriesOfBlock * MemoryLayout<Entry>.stride)
        try attempting(.system, to: "write in", directory) {
            _ = try file.writeAll(toAbsoluteOffset: Int64(written) * Int64(Self.blockSize), bytes)
        }
        parts[number].blocks.append(written)
        parts[number].filled = 0
        written += 1
    }

    /// Calls `unmatched` for each row that has no partner, part by part. To be called once.
    func join(_ unmatched: (Side, Int64) throws(RowDeltaError) -> Void) throws(RowDeltaError) {
        for part in 0..<Self.partsOfSide {
            let (old, new) = (try entries(of: part), try entries(of: Self.partsOfSide + part))
            var (left, right) = (0, 0)
            while left < old.count || right < new.count {
                if right == new.count || left < old.count && old[left].hash < new[right].hash {
                    try unmatched(.old, old[left].position)
                    left += 1
                } else if left == old.count || new[right].hash < old[left].hash {
                    try unmatched(.new, new[right].position)
                    right += 1
                } else {
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
