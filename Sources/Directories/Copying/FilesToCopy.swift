import DumpCore
import Synchronization
import SystemPackage
import Trees

/// Files that are to be copied, in the order of a walk, each with what the last dump has at its path. Memory does not grow with their number.
final class FilesToCopy: Sendable {
    struct File: Sendable {
        var path: FilePath
        var former: TreeEntry?
    }

    private let spool: PathSpool
    private let directory: FilePath
    private let reader = Mutex<PathSpoolReader?>(nil)

    /// - Parameters: as those of `TreeEntries`.
    init(in directory: FilePath, portionOf portion: Int = 1 << 20) {
        self.directory = directory
        spool = PathSpool(in: directory, portionOf: portion)
    }

    func add(_ file: File) throws(DumpError) {
        let lines = file.former.map { Inventory.lines(of: $0) } ?? []
        try spooling(in: directory) { () throws(Errno) in try spool.add(file.path, lines) }
    }

    /// The next file, once all are added; nil when all were handed out. For any number of threads.
    func next() throws(DumpError) -> File? {
        let record = try spooling(in: directory) { () throws(Errno) in
            try reader.withLock { reader throws(Errno) in
                if reader == nil { reader = spool.sorted() }
                return try reader?.next()
            }
        }
        return record.map { File(path: $0.path, former: Inventory.entry(of: $0.value)) }
    }
}
