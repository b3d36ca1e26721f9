import SystemPackage

/// Where things lie in a dump of a directory.
enum TreeLayout {
    /// The tree itself, as it was.
    static let tree = FilePath("tree")
    /// What is in it, with all that is no content of a file.
    static let inventory = FilePath("tree.mtree")
}
