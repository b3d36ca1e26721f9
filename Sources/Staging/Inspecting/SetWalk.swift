import DumpCore
import Linux
import SystemPackage
import Trees

/// A pass over a set, file by file, beside what its manifest and lists say that there is. Contents of listed files are not read.
///
/// Holds nothing of what it has come by but what is wrong with it.
struct SetWalk {
    /// A file other than the manifest.
    struct File {
        var state: FileState
        /// Nil for one that no list names, and for one that cannot be what is listed.
        var listed: ListedFile?
    }

    private let head: SetHead
    private let parts: [SetPart]?
    private let referencedTrees: ReferencedTrees
    let root: OpenDirectory
    private var walk: FileTreeWalk
    /// Dumps whose directories have not come, by these.
    private var toCome: [FilePath: Manifest.DumpRecord]
    private var dump: (directory: FilePath, inspection: DumpInspection)?
    private let lists: Set<FilePath>
    private let directories: Set<FilePath>

    /// All but those of the dump that the walk is in.
    private(set) var problems: [SetProblem] = []
    /// How many files have come, the manifest included.
    private(set) var files = 0

    /// - Parameters:
    ///   - parts: what should be there, if not all of the set.
    ///   - referencedTrees: whether the trees that Borg read in place are there.
    init(
        _ head: SetHead, parts: [SetPart]? = nil, referencedTrees: ReferencedTrees = .elsewhere
    ) throws(StagingError) {
        (self.head, self.parts, self.referencedTrees) = (head, parts, referencedTrees)
        let dumps = head.manifest.dumps.filter { parts?.isAny(of: $0) ?? true }
        (root, walk) = try attempting(to: "list", head.root) {
            (try OpenDirectory(head.root), try FileTreeWalk(head.root))
        }
        toCome = Dictionary(dumps.map { ($0.directory, $0) }) { first, _ in first }
        lists = Set(dumps.map { FilePath($0.checksums.path) })
        directories = Set(head.manifest.dumps.map(\.directory))
    }

    /// The next file, or nil at the end.
    mutating func next() throws(StagingError) -> File? {
        while let entry = try attempting(to: "list", head.root, { try walk.next() }) {
            files += entry.status.kind == .file ? 1 : 0
            let listed = take(entry)
            if SealedFiles.cover(entry) { return File(state: FileState(entry.status), listed: listed) }
        }
        finishDump()
        for dump in toCome.values.sorted(by: { $0.path < $1.path }) {
            var inspection = inspection(of: dump)
            inspection.finish()
            problems += inspection.problems
        }
        toCome = [:]
        return nil
    }

    private mutating func take(_ entry: FileTree.Entry) -> ListedFile? {
        if !isInDump(entry.path) { enter(entry.path) }
        if isInDump(entry.path) { return dump?.inspection.take(entry) }
        if !isExpected(entry) { problems.append(.unexpected(entry)) }
        return nil
    }

    private func isInDump(_ path: FilePath) -> Bool { dump.map { path.starts(with: $0.directory) } ?? false }

    /// Begins with the dump in whose directory the path is, if it does in one.
    private mutating func enter(_ path: FilePath) {
        finishDump()
        let directory = FilePath(root: nil, path.components.prefix(1))
        dump = toCome.removeValue(forKey: directory).map { (directory, inspection(of: $0)) }
    }

    private mutating func finishDump() {
        dump?.inspection.finish()
        problems += dump?.inspection.problems ?? []
        dump = nil
    }

    private func inspection(of dump: Manifest.DumpRecord) -> DumpInspection {
        DumpInspection(
            of: dump, in: root, parts: parts?.filter { $0.dump == dump.name }, hasTree: hasTree(dump))
    }

    /// Manifest, lists, and the directories of the layout and of dumps that are not looked at.
    private func isExpected(_ entry: FileTree.Entry) -> Bool {
        switch entry.status.kind {
        case .file: entry.path == FilePath(root: nil, [SetLayout.manifest]) || lists.contains(entry.path)
        case .directory:
            entry.path == FilePath(root: nil, [SetLayout.checksums])
                || directories.contains { entry.path.starts(with: $0) }
        default: false
        }
    }

    /// Whether the tree of a dump should be there.
    private func hasTree(_ dump: Manifest.DumpRecord) -> Bool {
        guard let tree = dump.tree, let place = dump.treePath else { return false }
        guard tree.reference != nil else { return true }
        return switch referencedTrees {
        case .elsewhere: false
        case .extracted: true
        case .either: (try? root.status(of: place)) != nil
        }
    }
}
