import DumpCore
import Linux
import Synchronization
import SystemPackage
import Trees

/// The entries of a tree in a dump, which several threads may add in any order. Memory does not grow with their number.
final class TreeEntries: Sendable {
    /// What is known of all of them.
    struct Totals: Sendable {
        var count = 0
        var bytes: Int64 = 0
        /// Those with a time that the dump can only come near to.
        var misdated = FirstOfMany<FilePath>()
    }

    private let spool: PathSpool
    private let directory: FilePath
    private let sum = Mutex(Totals())

    /// - Parameters:
    ///   - directory: for a file without a name that holds what does not fit into memory.
    ///   - portion: how many bytes are kept in memory.
    init(in directory: FilePath, portionOf portion: Int = 4 << 20) {
        self.directory = directory
        spool = PathSpool(in: directory, portionOf: portion)
    }

    var totals: Totals { sum.withLock { $0 } }

    /// To be called once for each path.
    func add(_ entry: TreeEntry) throws(DumpError) {
        try spooling(in: directory) { () throws(Errno) in try spool.add(entry.path, Inventory.lines(of: entry)) }
        sum.withLock { sum in
            sum.count += 1
            sum.bytes = sum.bytes.plus(entry.bytes)
            if [FileStatus.times.lowerBound, FileStatus.times.upperBound].contains(entry.modified) {
                sum.misdated.add(entry.path)
            }
        }
    }

    /// In the order of `TreeEntry.precedes`, once all are added.
    func sorted() -> Reader { Reader(records: spool.sorted()) }

    /// For one thread at a time.
    struct Reader: Sendable {
        fileprivate var records: PathSpoolReader

        mutating func next() throws(Errno) -> TreeEntry? { try nextLines().flatMap { Inventory.entry(of: $0) } }

        /// The next entry as its inventory has it.
        mutating func nextLines() throws(Errno) -> [UInt8]? { try records.nextBytes()?.value }
    }
}

/// The first of what may be many, and how many there are.
struct FirstOfMany<Element: Sendable>: Sendable {
    private(set) var first: [Element] = []
    private(set) var count = 0

    static var mostKept: Int { 100 }

    mutating func add(_ element: Element) {
        count += 1
        if first.count < Self.mostKept { first.append(element) }
    }
}

/// Tells what could not be put into a spool, or read out of it.
func spooling<Result>(in directory: FilePath, _ work: () throws(Errno) -> Result) throws(DumpError) -> Result {
    do {
        return try work()
    } catch .noSpace, .diskQuotaExceeded {
        throw DumpError(
            .noSpace, "no space to keep the list of files in \(directory)",
            hint: "Free space on this file system, or move the staging area to a larger one.")
    } catch {
        throw DumpError(.system, "cannot keep the list of files in \(directory): \(error)", underlying: error)
    }
}
