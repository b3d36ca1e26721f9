import DumpCore
import Linux
import SystemPackage
import Trees

/// A file that has several names, on its way into a dump: copied under the first name, and linked under the others.
///
/// A name is copied by itself when its file has vanished meanwhile under the first name, or was replaced there.
struct SeveralNames {
    let copy: TreeCopy
    let tree: GrowingTree
    /// Of the last dump.
    let former: OpenDirectory?
    let stop: StopSign

    /// What the name is that the next ones are linked to; nil while there is none.
    private var first: FileCopy.Result?
    /// Names that are links to the first one.
    private var further: [FilePath] = []

    init(_ copy: TreeCopy, in tree: GrowingTree, _ former: OpenDirectory?, until stop: StopSign) {
        (self.copy, self.tree, self.former, self.stop) = (copy, tree, former, stop)
    }

    /// Takes all names of one file.
    mutating func take(_ names: [NamesByFile.Name]) throws(DumpError) {
        for (index, name) in names.enumerated() {
            if index == 0 {
                tree.count(diskBytes: name.diskBytes)
                first = copy.reused(name, from: former)
                if first == nil { first = try copied(name.path, after: name.entry) }
            } else if let original = first?.entry.path, isOneFile(original, name.path) {
                try link(name.path)
            } else {
                try finish()
                first = try copied(name.path, after: nil)
            }
        }
        try finish()
    }

    /// Adds the entries of the first name and its links.
    private mutating func finish() throws(DumpError) {
        guard let result = first else { return }
        try tree.take(result, at: result.entry.path)
        for path in further {
            var entry = result.entry
            (entry.path, entry.firstName) = (path, result.entry.path)
            try tree.entries.add(entry)
        }
        (first, further) = (nil, [])
    }

    /// Nil if it has vanished.
    private func copied(_ path: FilePath, after last: TreeEntry?) throws(DumpError) -> FileCopy.Result? {
        copy.atHand.begin(path)
        let result = try copy.copy(path, after: last, in: former, until: stop)
        copy.atHand.end(path)
        if result == nil { tree.note(nil, at: path) }
        return result
    }

    private mutating func link(_ path: FilePath) throws(DumpError) {
        do {
            try linkToFirst(path)
        } catch {
            guard error.underlying as? Errno == .tooManyLinks else { throw error }
            // It was linked from the last dump, and the dumps have nearly all names of it that the file system allows.
            try renew()
            try linkToFirst(path)
        }
        further.append(path)
    }

    private func linkToFirst(_ path: FilePath) throws(DumpError) {
        guard let original = first?.entry.path else { return }
        try attempting(to: "create", path, of: copy.target) {
            try copy.target.link(original, of: copy.target, as: path)
        }
    }

    /// Copies the file once more, as a file that no other dump has.
    private mutating func renew() throws(DumpError) {
        guard let path = first?.entry.path else { return }
        for path in [path] + further {
            try attempting(to: "replace", path, of: copy.target) { try copy.target.remove(path) }
        }
        guard let result = try copy.copy(path, until: stop) else {
            throw DumpError(
                .fileChanged,
                "\(copy.source.path.pushing(path)) vanished while its \(further.count + 2) names were being linked",
                hint: "Run it again, or dump a snapshot of the file system.")
        }
        first = result
        for path in further { try linkToFirst(path) }
    }

    /// Whether two names that were one file's still are.
    ///
    /// A FUSE file system may give files of several file systems below it one device, and numbers of theirs. So all that one file has alike
    /// under all its names must be. The file may change between the two looks: that is tried again.
    private func isOneFile(_ one: FilePath, _ other: FilePath) -> Bool {
        for _ in 0..<10 {
            guard let one = try? copy.source.status(of: one), let other = try? copy.source.status(of: other),
                FileNumber(one) == FileNumber(other)
            else { return false }
            if one.isOfSameFile(as: other) { return true }
        }
        return false
    }
}

extension FileStatus {
    func isOfSameFile(as other: FileStatus) -> Bool {
        isSameState(as: other) && mode == other.mode && uid == other.uid && gid == other.gid && links == other.links
    }
}
