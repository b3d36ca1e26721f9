import DumpCore
import Linux
import SystemPackage

/// Borg's files cache as a confirmed archive left it: the files that Borg need not read again.
///
/// Borg tells a file by its path, size, time and inode, and a file system gives inodes out again. So Borg may believe this very cache
/// only, not one from another home directory or of another age. The token in its name sees to that: it is drawn again as soon as
/// Borg has kept a cache at another place under it.
public struct FilesCache: Sendable, Codable, Hashable {
    /// In its name.
    var token: String
    public private(set) var path: String
    var inode: UInt64
    /// Nanoseconds since 1970.
    var modified: Int64
    var bytes: Int64

    /// A token that no cache has.
    static func newToken() -> String { "muster-\(JobID())" }

    /// The cache of this token that Borg has in a directory; nil if there is none.
    init?(_ token: String, in directory: String) {
        let path = FilePath(directory).appending("files.\(token)")
        guard let status = try? FileSystem.status(of: path), status.kind == .file else { return nil }
        (self.token, self.path) = (token, path.string)
        (inode, modified, bytes) = (status.inode, status.modified, status.bytes)
    }

    /// Whether it still is what that archive left.
    public var isThere: Bool { FilesCache(token, in: directory) == self }

    var directory: String { FilePath(path).removingLastComponent().string }

    /// Removes it: no Borg will ask for it again.
    public func remove() {
        // It only takes space.
        try? FileSystem.removeFile(FilePath(path))
    }
}
