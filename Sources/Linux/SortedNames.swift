import Glibc
import SystemPackage

/// The names in a directory, without `.` and `..`, in the order of their bytes.
///
/// Memory does not grow with the directory: names beyond a portion are read again once those before them were used. So one that comes
/// meanwhile may be among them or not. A portion has room for the files of 200,000 large objects.
public struct SortedNames {
    private let mostBytes: Int
    /// The names of this portion, each with its NUL, and where each begins, in their order.
    private var bytes: [CChar] = []
    private var starts: [Int] = []
    private var place = 0
    /// The last name of the portions before.
    private var last: [CChar]?
    /// The last name of this portion, if more follow in the next.
    private var bound: [CChar]?
    private var isBegun = false

    /// - Parameter mostBytes: what the names of a portion may take.
    public init(portionOf mostBytes: Int = 4 << 20) { self.mostBytes = mostBytes }

    /// The next name, or nil after the last one. The directory is always the same.
    public mutating func next(in directory: FilePath, of root: OpenDirectory) throws(Errno) -> FilePath.Component? {
        while true {
            if place < starts.count {
                place += 1
                return name(at: starts[place - 1])
            }
            guard !isBegun || bound != nil else { return nil }
            (isBegun, last, bound) = (true, bound, nil)
            try readPortion(of: directory, root)
        }
    }

    private mutating func readPortion(of directory: FilePath, _ root: OpenDirectory) throws(Errno) {
        bytes.removeAll(keepingCapacity: true)
        starts.removeAll(keepingCapacity: true)
        place = 0
        try root.withNames(in: directory) { take($0) }
        sort()
    }

    private mutating func take(_ name: UnsafePointer<CChar>) {
        if let last, strcmp(name, last) <= 0 { return }
        if let bound, strcmp(name, bound) > 0 { return }
        starts.append(bytes.count)
        bytes.append(contentsOf: UnsafeBufferPointer(start: name, count: strlen(name) + 1))
        if bytes.count > mostBytes { dropLaterHalf() }
    }

    private mutating func dropLaterHalf() {
        sort()
        starts.removeLast(starts.count / 2)
        var kept: [CChar] = []
        kept.reserveCapacity(bytes.count)
        for place in starts.indices {
            let name = copy(at: starts[place])
            starts[place] = kept.count
            kept += name
            bound = name
        }
        bytes = kept
    }

    private mutating func sort() {
        bytes.withUnsafeBufferPointer { bytes in
            guard let base = bytes.baseAddress else { return }
            starts.sort { strcmp(base + $0, base + $1) < 0 }
        }
    }

    private func copy(at start: Int) -> [CChar] {
        bytes.withUnsafeBufferPointer { bytes in
            let name = bytes.baseAddress! + start
            return Array(UnsafeBufferPointer(start: name, count: strlen(name) + 1))
        }
    }

    private func name(at start: Int) -> FilePath.Component {
        // `withNames` has passed over all that is not one.
        bytes.withUnsafeBufferPointer { FilePath.Component(platformString: $0.baseAddress! + start)! }
    }
}

extension OpenDirectory {
    /// Calls `body` with each name in a directory, without `.` and `..`, in whatever order they come.
    func withNames(in directory: FilePath, _ body: (UnsafePointer<CChar>) -> Void) throws(Errno) {
        // Another one may have come to its place since.
        forget(directory)
        let opened = try open(directory, O_RDONLY | O_DIRECTORY)
        try closing(opened) { file throws(Errno) in try requireExpected(directory.bytesWithNUL, file) }
        guard let stream = fdopendir(opened.rawValue) else {
            let error = Errno(rawValue: errno)
            try? opened.close()
            throw error
        }
        defer { closedir(stream) }
        try FileSystem.forEachName(of: stream, body)
    }
}
