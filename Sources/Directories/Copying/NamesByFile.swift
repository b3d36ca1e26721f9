import DumpCore
import Linux
import Synchronization
import SystemPackage
import Trees

/// The names of files that have several. The names of one file come back together, in the order in which a walk found them. Memory does not
/// grow with the number of files.
final class NamesByFile: Sendable {
    struct Name: Sendable {
        var path: FilePath
        /// What the file takes on disk.
        var diskBytes: Int64
        /// What is known of this name.
        var entry: TreeEntry?
        /// Whether `entry` is of the last dump, and the file has not changed since.
        var isUnchanged = false
    }

    private struct State {
        var count = 0
        var reader: PathSpoolReader?
    }

    private let spool: PathSpool
    private let directory: FilePath
    private let state = Mutex(State())

    /// - Parameters: as those of `TreeEntries`.
    init(in directory: FilePath, portionOf portion: Int = 2 << 20) {
        self.directory = directory
        spool = PathSpool(in: directory, portionOf: portion)
    }

    func add(_ name: Name, of file: FileNumber) throws(DumpError) {
        let number = state.withLock { state in
            state.count += 1
            return state.count
        }
        try spooling(in: directory) { () throws(Errno) in
            try spool.add(file.digits + Array(UInt64(number).digits), name.encoded)
        }
    }

    /// All names of the next file, once all are added; nil when all were handed out. For any number of threads.
    func nextFile() throws(DumpError) -> [Name]? {
        try spooling(in: directory) { () throws(Errno) in
            try state.withLock { state throws(Errno) in
                if state.reader == nil { state.reader = spool.sorted() }
                var (file, names) = ([UInt8](), [Name]())
                while let next = try state.reader?.peekBytes(), names.isEmpty || next.starts(with: file) {
                    guard let record = try state.reader?.nextBytes() else { break }
                    file = Array(next.dropLast(UInt64.digitCount))
                    names.append(Name(encoded: record.value))
                }
                return names.isEmpty ? nil : names
            }
        }
    }
}

extension NamesByFile.Name {
    private static let head = 13

    /// Eight bytes of `diskBytes`, one of `isUnchanged`, four of the path's length, the path, the entry's lines.
    fileprivate var encoded: [UInt8] {
        let (path, lines) = (self.path.bytes, entry.map { Inventory.lines(of: $0) } ?? [])
        var bytes: [UInt8] = []
        bytes.reserveCapacity(Self.head + path.count + lines.count)
        withUnsafeBytes(of: diskBytes) { bytes.append(contentsOf: $0) }
        bytes.append(isUnchanged ? 1 : 0)
        withUnsafeBytes(of: UInt32(path.count)) { bytes.append(contentsOf: $0) }
        return bytes + path + lines
    }

    fileprivate init(encoded: [UInt8]) {
        let (diskBytes, length) = encoded.withUnsafeBytes { bytes in
            (
                bytes.loadUnaligned(fromByteOffset: 0, as: Int64.self),
                Int(bytes.loadUnaligned(fromByteOffset: 9, as: UInt32.self))
            )
        }
        let end = Self.head + length
        self.init(
            path: FilePath(bytes: encoded[Self.head..<end]) ?? FilePath(), diskBytes: diskBytes,
            entry: Inventory.entry(of: Array(encoded[end...])), isUnchanged: encoded[8] == 1)
    }
}

extension UInt64 {
    fileprivate static let digitCount = 16

    /// As many for every number, so that their order is that of the numbers.
    fileprivate var digits: [UInt8] {
        stride(from: 60, through: 0, by: -4).map { UInt8(ascii: "a") + UInt8((self >> UInt64($0)) & 15) }
    }
}

extension FileNumber {
    fileprivate var digits: [UInt8] { device.digits + inode.digits }
}
