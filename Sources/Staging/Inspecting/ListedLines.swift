import Checksums
import DumpCore
import Linux
import SystemPackage
import Trees

/// The lines of a dump's list, in the order of a walk of the set. The list is known to be the one that was sealed.
struct ListedLines {
    /// Nil for a list that is not in that order, which is held in memory then. Muster writes none.
    private let list: ChecksumListFile?
    private var sorted: ArraySlice<ChecksumList.Line>
    /// What comes next; nil at the end.
    private(set) var first: ChecksumList.Line?

    /// Throws `SetProblem` for a list that is not what was sealed, or cannot be read.
    init(of dump: Manifest.DumpRecord, in root: FilePath) throws(SetProblem) {
        let place = FilePath(dump.checksums.path)
        let path = root.pushing(place)
        do {
            try Self.requireSealed(path, dump, place)
            sorted = try Self.isInOrder(path, of: dump, place) ? [] : Self.sortedLines(path)[...]
            list = sorted.isEmpty ? try ChecksumListFile(path) : nil
            first = try list?.next() ?? sorted.popFirst()
        } catch let problem as SetProblem {
            throw problem
        } catch {
            throw SetProblem(
                kind: .unreadable, path: place, details: (error as? any OperatorError)?.message ?? "\(error)")
        }
    }

    mutating func advance() throws(ChecksumError) { first = try list?.next() ?? sorted.popFirst() }

    private static func requireSealed(_ path: FilePath, _ dump: Manifest.DumpRecord, _ place: FilePath) throws {
        guard try FileSystem.status(of: path).bytes <= longestList(of: dump) else {
            throw SetProblem(kind: .unreadable, path: place, details: "longer than any list of \(dump.files) files")
        }
        let digest = try FileScan(path).digest().sha256
        guard digest == dump.checksums.sha256 else {
            throw SetProblem(
                kind: .changed, path: place,
                details: "changed, its SHA-256 is \(digest) and not \(dump.checksums.sha256)")
        }
    }

    /// A line has a digest and a path, each of whose bytes may be escaped.
    private static func longestList(of dump: Manifest.DumpRecord) -> Int64 {
        min(Int64(dump.files), 1 << 40) * (16 << 10) + (1 << 20)
    }

    /// Reads all of it, for the walk beside it to meet nothing that is wrong with the list itself.
    private static func isInOrder(
        _ path: FilePath, of dump: Manifest.DumpRecord, _ place: FilePath
    ) throws -> Bool {
        var (last, isInOrder): (FilePath?, Bool) = (nil, true)
        let list = try ChecksumListFile(path)
        while let line = try list?.next() {
            guard line.path.isLexicallyNormal, line.path.starts(with: dump.directory) else {
                throw SetProblem(kind: .changed, path: place, details: "lists files that are not the dump's")
            }
            if let last, !TreeEntry.precedes(last, line.path) { isInOrder = false }
            last = line.path
        }
        return isInOrder
    }

    private static func sortedLines(_ path: FilePath) throws -> [ChecksumList.Line] {
        // Throws for a path that is there twice.
        try ChecksumList(parsing: SmallFile(path).read() ?? []).lines
            .sorted { TreeEntry.precedes($0.path, $1.path) }
    }
}
