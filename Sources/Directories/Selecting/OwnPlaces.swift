import Linux
import SystemPackage

/// Where Muster keeps what it has dumped, as seen from a tree: see `RunContext.Surroundings.ownPlaces`.
struct OwnPlaces: Sendable {
    /// Relative to the root of the tree.
    var paths: Set<FilePath> = []
    /// Of those that are there: a bind mount shows one of them at another place.
    var numbers: Set<FileNumber> = []

    /// - Parameter status: of the directory at `path`.
    func contain(_ path: FilePath, _ status: FileStatus) -> Bool {
        paths.contains(path) || numbers.contains(FileNumber(status))
    }
}
