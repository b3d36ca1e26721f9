import DumpCore
import Linux
import Staging
import SystemPackage
import Trees

/// All that an archive is to hold, by the paths that Borg shows. A few megabytes of it are in memory, the rest is sorted on disk.
struct SealedListing: Sendable {
    /// Where what does not fit into memory is kept.
    private let directory: FilePath
    private let portion: Int
    private let spool: PathSpool
    private(set) var files = 0
    /// The size of all files.
    private(set) var bytes: Int64 = 0

    /// - Parameters:
    ///   - directory: ours alone, with room for the list.
    ///   - portion: how many bytes of it, and of each list that it is compared with, are kept in memory.
    init(in directory: FilePath, portionOf portion: Int = 2 << 20) {
        self.directory = directory
        self.portion = portion
        spool = PathSpool(in: directory, portionOf: portion)
    }

    /// - Parameter entry: by its path in the archive.
    mutating func add(_ entry: SealedSet.Entry) throws(Errno) {
        files += entry.isFile ? 1 : 0
        bytes = bytes.plus(entry.bytes)
        let sealed = SealedEntry(entry)
        try spool.add(sealed.path.asListed, sealed.encoded)
    }

    /// An empty list of another kind, to be compared with this one.
    func newSpool() -> PathSpool { PathSpool(in: directory, portionOf: portion) }

    /// Goes through this list and `others` side by side.
    ///
    /// - Parameters:
    ///   - each: called with each record of `others` and what the set has under the record's path, which may be nothing.
    ///   - passed: called with what the set has under one path, once all records of that path were there.
    func compare(
        with others: PathSpool, each: (PathSpoolReader.Record, inout AlikeEntries) throws(Errno) -> Void,
        passed: (AlikeEntries) -> Void = { _ in }
    ) throws(Errno) {
        var (sealed, others) = (spool.sorted(), others.sorted())
        while var alike = try AlikeEntries(next: &sealed) {
            while let path = try others.peekBytes(), TreeEntry.order(path, alike.path) <= 0 {
                guard let record = try others.nextBytes() else { break }
                guard path != alike.path else {
                    try each(record, &alike)
                    continue
                }
                try Self.unknown(record, each)
            }
            passed(alike)
        }
        while let record = try others.nextBytes() { try Self.unknown(record, each) }
    }

    private static func unknown(
        _ record: PathSpoolReader.Record, _ each: (PathSpoolReader.Record, inout AlikeEntries) throws(Errno) -> Void
    ) throws(Errno) {
        var nothing = AlikeEntries(path: record.path)
        try each(record, &nothing)
    }
}

extension [UInt8] {
    /// A path as Borg lists it: with `?` for each byte that is not of UTF-8. That such a name is right to the byte shows when it is extracted.
    fileprivate var asListed: [UInt8] {
        guard String(validating: self, as: UTF8.self) == nil else { return self }
        var listed: [UInt8] = []
        var bytes = makeIterator()
        var parser = Unicode.UTF8.ForwardParser()
        while true {
            switch parser.parseScalar(from: &bytes) {
            case .valid(let scalar): listed += Array(scalar)
            case .error(let length): listed += repeatElement(UInt8(ascii: "?"), count: length)
            case .emptyInput: return listed
            }
        }
    }
}
