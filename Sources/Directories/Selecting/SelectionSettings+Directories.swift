import SystemPackage

extension SelectionSettings {
    /// Whether a directory is left out by a pattern, its own or one for a directory above it.
    ///
    /// - Parameter path: relative to the root of the tree.
    public func leavesOut(directory path: FilePath) -> Bool {
        let patterns = exclude.compactMap { ExcludePattern($0) }
        let components = path.components.map(\.bytes)
        return components.indices.contains { end in
            let above = Array(components[...end])
            let last = patterns.last { $0.matches(above, isDirectory: true) }
            return last.map { !$0.isNegated } ?? false
        }
    }
}
