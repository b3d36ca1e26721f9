import DumpCore
import Linux
import Synchronization
import SystemPackage
import Trees

/// Digests of any number of files, by path, in the order of a walk. Memory does not grow with their number.
public final class DigestSpool: Sendable {
    private let spool: PathSpool

    /// - Parameter directory: ours alone; for a file without a name that holds what does not fit into memory.
    public init(in directory: FilePath) { spool = PathSpool(in: directory) }

    /// - Parameter path: relative to the set.
    public func add(_ path: FilePath, _ digest: FileDigest) throws(Errno) { try spool.add(path, digest.encoded) }

    func sorted() -> DigestReader { DigestReader(reader: spool.sorted()) }
}

/// The digests of a spool, read beside a walk.
struct DigestReader {
    fileprivate var reader: PathSpoolReader

    mutating func peek() throws(Errno) -> FilePath? { try reader.peek() }

    mutating func next() throws(Errno) -> (path: FilePath, digest: FileDigest)? {
        try reader.next().map { ($0.path, FileDigest(encoded: $0.value)) }
    }

    /// The digest of the file at a path whose status is this. To be asked in the order of a walk.
    mutating func digest(of path: FilePath, _ status: FileStatus) throws(Errno) -> FileDigest? {
        try digest(of: path) { $0.describes(status) }
    }

    /// The same of a file that may have been given another time since, and nothing else.
    mutating func digest(of path: FilePath, _ state: FileState) throws(Errno) -> String? {
        try digest(of: path) { $0.inode == state.inode && $0.bytes == state.bytes }?.sha256
    }

    private mutating func digest(
        of path: FilePath, where isIt: (FileDigest) -> Bool
    ) throws(Errno) -> FileDigest? {
        var found: FileDigest?
        while let next = try peek(), !TreeEntry.precedes(path, next) {
            guard let (known, digest) = try self.next() else { break }
            if known == path, isIt(digest) { found = digest }
        }
        return found
    }
}

/// One for each dump of a set.
final class DigestSpools: Sendable {
    private let directory: FilePath
    private let spools = Mutex<[String: DigestSpool]>([:])

    init(in directory: FilePath) { self.directory = directory }

    func spool(ofDump name: String) -> DigestSpool {
        spools.withLock { spools in
            let spool = spools[name] ?? DigestSpool(in: directory)
            spools[name] = spool
            return spool
        }
    }
}

extension FileDigest {
    /// Three numbers of eight bytes, and the digits.
    fileprivate var encoded: [UInt8] {
        var bytes: [UInt8] = []
        for number in [self.bytes, Int64(bitPattern: inode), modified] {
            withUnsafeBytes(of: number) { bytes.append(contentsOf: $0) }
        }
        return bytes + sha256.utf8
    }

    fileprivate init(encoded: [UInt8]) {
        let numbers = encoded.withUnsafeBytes { raw in
            (0..<3).map { raw.loadUnaligned(fromByteOffset: 8 * $0, as: Int64.self) }
        }
        self.init(
            sha256: String(decoding: encoded[24...], as: UTF8.self), bytes: numbers[0],
            inode: UInt64(bitPattern: numbers[1]), modified: numbers[2])
    }
}
