import CLinux
import Glibc
import SystemPackage

extension OpenDirectory {
    /// Renames what is at a path of this directory, replacing a file or an empty directory.
    public func rename(_ path: FilePath, to new: FilePath) throws(Errno) {
        try renaming(path, to: new) { from, to throws(Errno) in
            try FileSystem.call {
                renameat(from.directory.file.rawValue, from.name, to.directory.file.rawValue, to.name)
            }
        }
    }

    /// The same, and throws `Errno.fileExists` when the new name is taken.
    public func renameNew(_ path: FilePath, to new: FilePath) throws(Errno) {
        try renaming(path, to: new) { from, to throws(Errno) in
            try check(
                clinux_rename_new_at(from.directory.file.rawValue, from.name, to.directory.file.rawValue, to.name))
        }
    }

    /// Swaps what is at two paths of this directory, at one instant: `RENAME_EXCHANGE`.
    public func exchange(_ one: FilePath, _ other: FilePath) throws(Errno) {
        try renaming(one, to: other) { one, other throws(Errno) in
            try check(
                clinux_exchange_at(
                    one.directory.file.rawValue, one.name, other.directory.file.rawValue, other.name))
        }
    }

    private func renaming(
        _ path: FilePath, to new: FilePath, _ body: (Place, Place) throws(Errno) -> Void
    ) throws(Errno) {
        // What was opened there before is elsewhere then.
        forget(path)
        forget(new)
        let (from, to) = (try place(of: path), try place(of: new))
        defer {
            from.stayOpen()
            to.stayOpen()
        }
        try body(from, to)
    }

    /// Makes a directory that only we may enter, whatever the umask and the access control lists of the directory above it, and opens it.
    ///
    /// Another user who may write to this directory can exchange it in between. What is opened is an empty directory of our own all the same,
    /// or `Errno.notPermitted` is thrown.
    public func openNewDirectory(_ path: FilePath) throws(Errno) -> OpenDirectory {
        try createDirectory(path)
        let made = OpenDirectory(self.path.pushing(path), openAs: try open(path, O_RDONLY | O_DIRECTORY))
        let status = try made.status(of: FilePath())
        guard status.uid == geteuid() else { throw Errno.notPermitted }
        try made.setMode(of: FilePath(), to: 0o700)
        for name in ["system.posix_acl_default", "system.posix_acl_access"]
        where fgetxattr(made.file.rawValue, name, nil, 0) >= 0 {
            try FileSystem.call { fremovexattr(made.file.rawValue, name) }
        }
        guard try made.names(in: FilePath()).isEmpty else { throw Errno.notPermitted }
        return made
    }

    /// Whether a name still leads to an open directory.
    public func has(_ directory: OpenDirectory, at path: FilePath) throws(Errno) -> Bool {
        let (there, open) = (try status(of: path), try directory.status(of: FilePath()))
        return (there.device, there.inode) == (open.device, open.inode)
    }

    /// Flushes the names in the directory to disk: `fsync(2)`.
    public func flush() throws(Errno) { try FileSystem.call { fsync(file.rawValue) } }

    /// Flushes all of the file system that it is on, see `FileSystem.flushFileSystem`. What failed since it was opened is thrown.
    public func flushFileSystem() throws(Errno) { try FileSystem.flushFileSystem(through: file) }
}
