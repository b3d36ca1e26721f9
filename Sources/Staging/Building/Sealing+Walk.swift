import Checksums
import DumpCore
import Linux
import SystemPackage
import Trees

extension Sealing {
    /// The files of one dump, outside of its tree, in the order of a walk. Each comes with what its provider and the current set say of it.
    struct DumpWalk {
        private let dump: FinishedDump
        let number: Int
        private let root: FilePath
        private let directory: FilePath
        private var walk: FileTreeWalk
        private var digests: DigestReader
        private var former: FormerList?
        private let renamed: RenamedFiles
        private var isEmpty = true

        var hindrance: String? { former?.hindrance }
        var damagedList: FilePath? { former?.damaged }

        init(_ number: Int, of sealing: Sealing) throws(StagingError) {
            let (dump, incoming) = (sealing.dumps[number], sealing.incoming)
            (self.dump, self.number, root) = (dump, number, incoming.root)
            directory = FilePath(root: nil, [SetLayout.directory(ofDump: dump.name)])
            let place = root.pushing(directory)
            let tree = Set([dump.summary.tree.map { FilePath($0.path) }].compactMap(\.self))
            walk = try attempting(to: "list", place) { try FileTreeWalk(place, notInto: tree) }
            digests = incoming.digests.spool(ofDump: dump.name).sorted()
            // A tree's provider links its files itself, and its list is long.
            if tree.isEmpty {
                former = FormerList(ofDump: dump.name, sealed: dump.formerListSHA256, in: incoming.lock.area)
            }
            renamed = RenamedFiles(dump.summary.renamed, ofDump: dump.name, in: incoming.lock.area)
        }

        /// Throws for a dump without files, once there is no next one.
        mutating func next() throws(StagingError) -> File? {
            while let entry = try nextEntry() {
                guard entry.status.kind == .file else {
                    try Sealing.requireDirectory(entry, of: root.pushing(directory))
                    continue
                }
                isEmpty = false
                let path = directory.pushing(entry.path)
                let former = renamed.counterpart(of: path, at: former?.sha256(of: path))
                return File(
                    dump: number, path: path, status: entry.status, digest: digest(of: entry),
                    formerPath: former.path, formerSHA256: former.sha256)
            }
            guard isEmpty else { return nil }
            throw StagingError(
                .incompleteSet, "dump '\(dump.name)' holds no file",
                hint: "An empty dump is not a dump. Check what its provider logged.")
        }

        private mutating func nextEntry() throws(StagingError) -> FileTree.Entry? {
            try attempting(to: "list", root.pushing(directory)) { try walk.next() }
        }

        /// One that cannot be read back is made once more.
        private mutating func digest(of entry: FileTree.Entry) -> FileDigest? {
            if let digest = dump.summary.digests[entry.path], digest.describes(entry.status) { return digest }
            return try? digests.digest(of: entry.path, entry.status)
        }
    }

    /// Outside of trees, whose inventories say what is in them, all of a set are files and directories.
    static func requireDirectory(_ entry: FileTree.Entry, of root: FilePath) throws(StagingError) {
        let kind = entry.status.kind
        guard kind != .directory else { return }
        throw StagingError(
            .unexpectedFile,
            "\(root.pushing(entry.path)) is \(kind == .symbolicLink ? "a symbolic link" : "a special file"), and a set holds files and directories only"
        )
    }
}
