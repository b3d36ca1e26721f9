import DumpCore
import Linux
import SystemPackage

/// Values that come in any order and are wanted in theirs. Some are held in memory, the rest is in a file without a name.
final class SortedOnDisk<Value: Comparable & BitwiseCopyable & Sendable> {
    private static var window: Int { 512 }
    private static var size: Int { MemoryLayout<Value>.stride }

    private let mostInMemory: Int
    private let directory: FilePath
    private var values: [Value] = []
    private var file: FileDescriptor?
    /// How many values each sorted run in the file has.
    private var runs: [Int] = []
    private(set) var count: Int64 = 0

    /// - Parameter directory: for the file.
    init(in directory: FilePath, holding mostInMemory: Int) {
        (self.directory, self.mostInMemory) = (directory, mostInMemory)
    }

    // It has no name.
    deinit { try? file?.close() }

    func add(_ value: Value) throws(RowDeltaError) {
        values.append(value)
        count += 1
        if values.count == mostInMemory { try spill() }
    }

    private func spill() throws(RowDeltaError) {
        values.sort()
        try attempting(.system, to: "write in", directory) {
            let file = try self.file ?? FileSystem.unnamedFile(in: directory)
            self.file = file
            let offset = Int64(runs.reduce(0, +) * Self.size)
            _ = try values.withUnsafeBytes { try file.writeAll(toAbsoluteOffset: offset, $0) }
        }
        runs.append(values.count)
        values.removeAll(keepingCapacity: true)
    }

    /// All of them in their order. Nothing can be added after that.
    func sorted() throws(RowDeltaError) -> Reader {
        guard let file else {
            values.sort()
            return Reader(values: values)
        }
        if !values.isEmpty { try spill() }
        values = []
        var start = 0
        var windows: [Window] = []
        for run in runs {
            windows.append(Window(file: file, next: start, end: start + run))
            start += run
        }
        return try Reader(windows: windows, of: self)
    }

    /// What was read of a run.
    fileprivate struct Window {
        let file: FileDescriptor
        /// In the file, in values.
        var next: Int
        let end: Int
        var values: ArraySlice<Value> = []

        /// Neither is at its end.
        func precedes(_ other: Window) -> Bool { values.first! < other.values.first! }

        /// False at the end of the run.
        mutating func fill(_ directory: FilePath) throws(RowDeltaError) -> Bool {
            guard values.isEmpty else { return true }
            let count = min(end - next, SortedOnDisk.window)
            guard count > 0 else { return false }
            let (file, size, offset) = (file, count * SortedOnDisk.size, Int64(next * SortedOnDisk.size))
            let read = UnsafeMutableRawBufferPointer.allocate(
                byteCount: size, alignment: MemoryLayout<Value>.alignment)
            defer { read.deallocate() }
            try attempting(.system, to: "read in", directory) {
                guard try file.readFully(into: read, at: offset) == size else { throw Errno.ioError }
            }
            values = Array(read.bindMemory(to: Value.self))[...]
            next += count
            return true
        }
    }

    struct Reader {
        private var values: ArraySlice<Value>
        /// A heap by their first values.
        private var windows: [Window] = []
        private let owner: SortedOnDisk?

        fileprivate init(values: [Value]) { (self.values, owner) = (values[...], nil) }

        fileprivate init(windows: [Window], of owner: SortedOnDisk) throws(RowDeltaError) {
            (values, self.owner) = ([], owner)
            for var window in windows where try window.fill(owner.directory) { self.windows.append(window) }
            self.windows.makeHeap { $0.precedes($1) }
        }

        /// The next value, or nil at the end.
        mutating func next() throws(RowDeltaError) -> Value? {
            guard let owner else { return values.popFirst() }
            guard !windows.isEmpty else { return nil }
            let value = windows[0].values.removeFirst()
            if try windows[0].fill(owner.directory) {
                windows.sink { $0.precedes($1) }
            } else {
                windows.removeTop { $0.precedes($1) }
            }
            return value
        }
    }
}
