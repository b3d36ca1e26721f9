import SystemPackage

/// The trees of all dumps of a set. Each is open only while a walk of the set is in its dump, because one takes a good part of a megabyte.
struct SealedTrees {
    private let root: FilePath
    /// Those that the walk has not come to, by the directory of their dump.
    private var waiting: [FilePath.Component: FinishedDump]
    private var current: (directory: FilePath.Component, tree: SealedTree?)?
    private var missing: FilePath?

    init(of dumps: [FinishedDump], in root: FilePath) {
        self.root = root
        waiting = Dictionary(uniqueKeysWithValues: dumps.map { (SetLayout.directory(ofDump: $0.name), $0) })
    }

    /// The tree that what is at `path`, relative to the set, is in or should be. To be asked in the order of a walk.
    mutating func tree(of path: FilePath) throws(StagingError) -> SealedTree? {
        guard let directory = path.components.first else { return nil }
        if current?.directory != directory { try enter(directory) }
        guard let tree = current?.tree, path.starts(with: tree.place) else { return nil }
        return tree
    }

    private mutating func enter(_ directory: FilePath.Component) throws(StagingError) {
        missing = missing ?? current?.tree?.missing
        current = (directory, nil)
        guard let dump = waiting.removeValue(forKey: directory) else { return }
        current?.tree = try SealedTree(of: dump, in: root)
    }

    /// What has not come of any of them, once all of the set has.
    mutating func firstMissing() throws(StagingError) -> FilePath? {
        for directory in waiting.keys { try enter(directory) }
        return missing ?? current?.tree?.missing
    }
}
