import DumpCore
import Linux
import SystemPackage

/// Numbers that come in any order and are wanted in theirs. Some are held in memory, the rest is in a file without a name.
final class SortedPositions {
    private static let window = 512

    private let mostInMemory: Int
    private let directory: FilePath
    private var numbers: [Int64] = []
    private var file: FileDescriptor?
    /// How many numbers each sorted run in the file has.
    private var runs: [Int] = []
    private(set) var count: Int64 = 0

    /// - Parameter directory: for the file.
    init(in directory: FilePath, holding mostInMemory: Int) {
        (self.directory, self.mostInMemory) = (directory, mostInMemory)
    }

    // It has no name.
    deinit { try? file?.close() }

    func add(_ number: Int64) throws(RowDeltaError) {
        numbers.append(number)
        count += 1
        if numbers.count == mostInMemory { try spill() }
    }

    private func spill() throws(RowDeltaError) {
        numbers.sort()
        try attempting(.system, to: "write in", directory) {
            let file = try self.file ?? FileSystem.unnamedFile(in: directory)
            self.file = file
            let offset = Int64(runs.reduce(0, +)) * 8
            _ = try numbers.withUnsafeBytes { try file.writeAll(toAbsoluteOffset: offset, $0) }
        }
        runs.append(numbers.count)
        numbers.removeAll(keepingCapacity: true)
    }

    /// All of them in their order. Nothing can be added after that.
    func sorted() throws(RowDeltaError) -> Reader {
        guard let file else {
            numbers.sort()
            return Reader(numbers: numbers)
        }
        if !numbers.isEmpty { try spill() }
        numbers = []
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
        /// In the file, in numbers.
        var next: Int
        let end: Int
        var numbers: ArraySlice<Int64> = []

        /// False at the end of the run.
        mutating func fill(_ directory: FilePath) throws(RowDeltaError) -> Bool {
            guard numbers.isEmpty else { return true }
            let count = min(end - next, SortedPositions.window)
            guard count > 0 else { return false }
            let (file, offset) = (file, Int64(next) * 8)
            numbers = try attempting(.system, to: "read in", directory) {
                var read = [Int64](repeating: 0, count: count)
                guard try read.withUnsafeMutableBytes({ try file.readFully(into: $0, at: offset) }) == count * 8 else {
                    throw Errno.ioError
                }
                return read[...]
            }
            next += count
            return true
        }
    }

    struct Reader {
        private var numbers: ArraySlice<Int64>
        /// A heap by their first numbers.
        private var windows: [Window] = []
        private let owner: SortedPositions?

        fileprivate init(numbers: [Int64]) { (self.numbers, owner) = (numbers[...], nil) }

        fileprivate init(windows: [Window], of owner: SortedPositions) throws(RowDeltaError) {
            (numbers, self.owner) = ([], owner)
            for var window in windows where try window.fill(owner.directory) { self.windows.append(window) }
            for place in self.windows.indices.reversed() { sink(place) }
        }

        /// The next number, or nil at the end.
        mutating func next() throws(RowDeltaError) -> Int64? {
            guard let owner else { return numbers.popFirst() }
            guard !windows.isEmpty else { return nil }
            let number = windows[0].numbers.removeFirst()
            if try !windows[0].fill(owner.directory) {
                windows.swapAt(0, windows.count - 1)
                windows.removeLast()
            }
            sink(0)
            return number
        }

        private mutating func sink(_ start: Int) {
            var place = start
            while true {
                var least = place
                for child in [2 * place + 1, 2 * place + 2] where child < windows.count {
                    if windows[child].numbers.first! < windows[least].numbers.first! { least = child }
                }
                guard least != place else { return }
                windows.swapAt(place, least)
                place = least
            }
        }
    }
}
