import SystemPackage

/// Where things lie in a dump of a directory.
enum TreeLayout {
    /// The tree itself, as it was.
    static let tree = FilePath("tree")
    /// What is in it, with everything except the contents of files.
    static let inventory = FilePath("tree.mtree")
}
