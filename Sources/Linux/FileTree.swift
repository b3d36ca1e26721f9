import DumpCore
import Glibc
import SystemPackage

/// A directory with all that is below it. Symbolic links are entries, never followed.
public struct FileTree: Sendable {
    public struct Entry: Sendable, Hashable {
        /// Relative to the root of the tree.
        public var path: FilePath
        public var status: FileStatus

        public init(path: FilePath, status: FileStatus) {
            self.path = path
            self.status = status
        }
    }

    public var root: FilePath

    public init(_ root: FilePath) { self.root = root }

    /// Everything below the root, parents before children, each directory's names in the order of their bytes.
    public func entries() throws(Errno) -> [Entry] {
        var entries: [Entry] = []
        try visitAll { entry throws(Errno) in entries.append(entry) }
        return entries
    }

    /// Calls `visit` for everything below the root, in the order of `entries`, and holds none of it.
    ///
    /// - Parameter closed: directories whose contents are passed over.
    public func visitAll(
        notInto closed: Set<FilePath> = [], _ visit: (Entry) throws(Errno) -> Void
    ) throws(Errno) {
        var walk = try FileTreeWalk(root, notInto: closed)
        while let entry = try walk.next() { try visit(entry) }
    }

    /// The bytes of all files that are there now, or of the root if it is a file. What vanishes meanwhile does not count.
    public func bytes() -> Int64 {
        if let root = try? FileSystem.status(of: root), root.kind == .file { return root.bytes }
        // A size for progress and space: a tree that is being written or removed has no true one.
        var bytes: Int64 = 0
        try? visitAll { entry throws(Errno) in bytes = bytes.plus(entry.status.kind == .file ? entry.status.bytes : 0) }
        return bytes
    }

    /// Removes the root and everything below it. Nothing there is fine.
    public func remove() throws(Errno) {
        do {
            guard try FileSystem.status(of: root).kind == .directory else { return try FileSystem.removeFile(root) }
            try TreeRemoval(of: try OpenDirectory(root)).perform()
            try FileSystem.call { root.withPlatformString { rmdir($0) } }
        } catch Errno.noSuchFileOrDirectory {}
    }
}
