import SystemPackage

/// A walk over a tree that is taken one step at a time: parents before children, each directory's names in the order of their bytes.
///
/// Holds nothing of what it has come by. Symbolic links are entries, never followed.
public struct FileTreeWalk {
    private let root: OpenDirectory
    private let closed: Set<FilePath>
    /// The directories that lead to where it is.
    private var levels: [(path: FilePath, names: SortedNames)] = [(FilePath(), SortedNames())]

    /// - Parameter closed: directories whose contents are passed over.
    public init(_ root: FilePath, notInto closed: Set<FilePath> = []) throws(Errno) {
        self.root = try OpenDirectory(root)
        self.closed = closed
    }

    /// The next entry below the root, or nil at the end.
    public mutating func next() throws(Errno) -> FileTree.Entry? {
        while let level = levels.indices.last {
            guard let name = try levels[level].names.next(in: levels[level].path, of: root) else {
                levels.removeLast()
                continue
            }
            let path = levels[level].path.appending(name)
            let entry = FileTree.Entry(path: path, status: try root.status(of: path))
            if entry.status.kind == .directory, !closed.contains(path) { levels.append((path, SortedNames())) }
            return entry
        }
        return nil
    }
}
