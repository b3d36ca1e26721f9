import Glibc
import SystemPackage

/// Removes all that is in a directory, however deep it lies and however long its paths are.
///
/// Each directory is opened from the one above it. What lies deeper than so many open directories is moved to the top and removed from there.
final class TreeRemoval {
    private let root: OpenDirectory
    private var movedCount = 0

    /// Each level holds two descriptors.
    static let deepest = 64

    init(of root: OpenDirectory) { self.root = root }

    func perform() throws(Errno) {
        var before: Int
        repeat {
            before = movedCount
            try empty(root, depth: 0)
        } while movedCount > before
    }

    private func empty(_ directory: OpenDirectory, depth: Int) throws(Errno) {
        for name in try directory.names(in: "") {
            // Something else may be removing it too.
            do { try remove(FilePath(root: nil, [name]), from: directory, depth) } catch .noSuchFileOrDirectory {}
        }
    }

    private func remove(_ path: FilePath, from directory: OpenDirectory, _ depth: Int) throws(Errno) {
        guard try directory.status(of: path).kind == .directory else { return try directory.remove(path) }
        // A directory whose mode does not let us, as in a copy of a tree, is made ours first. Root needs no mode.
        if !UserAccount.currentIsRoot { try directory.setMode(of: path, to: 0o700) }
        guard depth < Self.deepest else { return try moveToTop(path, of: directory) }
        try empty(try directory.openDirectory(path), depth: depth + 1)
        try directory.remove(path, isDirectory: true)
    }

    private func moveToTop(_ path: FilePath, of directory: OpenDirectory) throws(Errno) {
        movedCount += 1
        do {
            try directory.rename(path, to: root, as: FilePath(".removed-\(movedCount)"))
        } catch {
            // The name is taken. Most names are not.
            guard error == .directoryNotEmpty || error == .notDirectory || error == .fileExists else { throw error }
            try moveToTop(path, of: directory)
        }
    }
}
