import SystemPackage

extension Manifest.DumpRecord {
    /// The dump's directory, relative to the set.
    public var directory: FilePath { FilePath(path) }

    /// Where its tree is, relative to the set; one that Borg read in place, once it is extracted. Nil unless the dump is a tree.
    public var treePath: FilePath? { tree.map { directory.pushing(FilePath($0.path)) } }

    /// Where its inventory is, relative to the set. Nil unless the dump is a tree.
    public var inventoryPath: FilePath? { tree.map { directory.pushing(FilePath($0.inventory)) } }

    /// Where an archive has what belongs to a path of the set. It is another one in a tree that Borg read in place.
    public func pathInArchive(of path: FilePath) -> FilePath {
        guard let reference = tree?.reference, let treePath else { return path }
        var rest = path
        guard rest.removePrefix(treePath) else { return path }
        return FilePath(reference).inArchive.pushing(rest)
    }
}

extension FilePath {
    /// Archives have relative paths.
    public var inArchive: FilePath { FilePath(root: nil, components) }
}
