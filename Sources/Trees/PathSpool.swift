import Linux
import Synchronization
import SystemPackage

/// Values by path, any number of them, which come back in the order of `TreeEntry.precedes`, as a walk would come upon the paths.
///
/// A few megabytes of them are in memory, the others sorted in a file without a name.
public final class PathSpool: Sendable {
    /// A record: the lengths of path and value, each in four bytes, the path, the value.
    struct State {
        var records: [UInt8] = []
        /// Where each of `records` begins.
        var starts: [Int] = []
        var file: FileDescriptor?
        /// Where the sorted records of one portion are in the file.
        var portions: [Range<Int64>] = []
        /// The last path of the last portion.
        var lastPath: [UInt8] = []
    }

    private let state = Mutex(State())
    private let directory: FilePath
    private let portion: Int

    /// - Parameters:
    ///   - directory: ours alone, on the file system that is to hold what does not fit into memory.
    ///   - portion: how many bytes are kept in memory.
    public init(in directory: FilePath, portionOf portion: Int = 4 << 20) {
        self.directory = directory
        self.portion = portion
    }

    deinit { state.withLock { try? $0.file?.close() } }

    /// If one path has two values, both come back, in the order in which they were added.
    public func add(_ path: FilePath, _ value: [UInt8]) throws(Errno) { try add(path.bytes, value) }

    /// A path as another program wrote it, which comes back byte for byte.
    public func add(_ path: [UInt8], _ value: [UInt8]) throws(Errno) {
        try state.withLock { state throws(Errno) in
            state.starts.append(state.records.count)
            state.records.append(record: path, value)
            guard state.records.count >= portion else { return }
            try writeDown(&state)
        }
    }

    /// All that were added so far. Valid for as long as nothing is added.
    public func sorted() -> PathSpoolReader {
        state.withLock { state in
            sort(&state)
            var portions = state.portions.map { PathSpoolReader.Portion(of: state.file!, $0) }
            portions.append(PathSpoolReader.Portion(of: state.records, state.starts))
            return PathSpoolReader(portions, of: self)
        }
    }

    private func sort(_ state: inout State) {
        state.records.withUnsafeBytes { records in
            state.starts.sort { one, other in
                let order = TreeEntry.order(records.path(at: one), records.path(at: other))
                return order < 0 || order == 0 && one < other
            }
        }
    }

    private func writeDown(_ state: inout State) throws(Errno) {
        sort(&state)
        if state.file == nil { state.file = try FileSystem.unnamedFile(in: directory) }
        guard let file = state.file, let (first, last) = state.ends else { return }
        let start = state.portions.last?.upperBound ?? 0
        let end: Int64
        do {
            end = try state.writeRecords(to: file, at: start)
        } catch {
            throw error as? Errno ?? .ioError
        }
        // What is added in order is one portion, however much of it there is.
        if let before = state.portions.last, TreeEntry.precedes(state.lastPath, first) {
            state.portions[state.portions.count - 1] = before.lowerBound..<end
        } else {
            state.portions.append(start..<end)
        }
        state.lastPath = last
        state.records.removeAll(keepingCapacity: true)
        state.starts.removeAll(keepingCapacity: true)
    }
}

extension PathSpool.State {
    /// The first and the last path in memory, once they are sorted.
    fileprivate var ends: (first: [UInt8], last: [UInt8])? {
        guard let first = starts.first, let last = starts.last else { return nil }
        return records.withUnsafeBytes { (Array($0.path(at: first)), Array($0.path(at: last))) }
    }

    /// Writes what is in memory to the file. Returns where that ends.
    fileprivate func writeRecords(to file: FileDescriptor, at start: Int64) throws -> Int64 {
        var (end, piece) = (start, [UInt8]())
        for place in starts.indices {
            records.withUnsafeBytes { piece.append(contentsOf: $0.record(at: starts[place])) }
            guard piece.count >= 256 * 1024 || place == starts.count - 1 else { continue }
            end += Int64(try file.writeAll(toAbsoluteOffset: end, piece))
            piece.removeAll(keepingCapacity: true)
        }
        return end
    }
}

extension [UInt8] {
    fileprivate mutating func append(record path: [UInt8], _ value: [UInt8]) {
        for count in [path.count, value.count] {
            Swift.withUnsafeBytes(of: UInt32(count)) { append(contentsOf: $0) }
        }
        append(contentsOf: path)
        append(contentsOf: value)
    }
}

extension UnsafeRawBufferPointer {
    static let recordHead = 8

    func lengths(at start: Int) -> (path: Int, value: Int) {
        (
            Int(loadUnaligned(fromByteOffset: start, as: UInt32.self)),
            Int(loadUnaligned(fromByteOffset: start + 4, as: UInt32.self))
        )
    }

    func path(at start: Int) -> UnsafeRawBufferPointer {
        let path = start + Self.recordHead
        return UnsafeRawBufferPointer(rebasing: self[path..<(path + lengths(at: start).path)])
    }

    fileprivate func record(at start: Int) -> UnsafeRawBufferPointer {
        let lengths = lengths(at: start)
        return UnsafeRawBufferPointer(
            rebasing: self[start..<(start + Self.recordHead + lengths.path + lengths.value)])
    }
}
