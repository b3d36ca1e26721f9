import CLinux
import Glibc
import SystemPackage

extension OpenDirectory {
    /// Renames what lies at a path of this directory, replacing a file or an empty directory.
    public func rename(_ path: FilePath, to new: FilePath) throws(Errno) {
        let (from, to) = (try place(of: path), try place(of: new))
        try FileSystem.call {
            renameat(from.directory.file.rawValue, from.name, to.directory.file.rawValue, to.name)
        }
    }

    /// The same, and throws `Errno.fileExists` when the new name is taken.
    public func renameNew(_ path: FilePath, to new: FilePath) throws(Errno) {
        let (from, to) = (try place(of: path), try place(of: new))
        try check(clinux_rename_new_at(from.directory.file.rawValue, from.name, to.directory.file.rawValue, to.name))
    }

    /// Makes a directory that nobody else may enter, whatever the umask and the access control lists of the directory above it, and opens it.
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

    /// Flushes all of the file system that it lies on, see `FileSystem.flushFileSystem`. What failed since it was opened is thrown.
    public func flushFileSystem() throws(Errno) { try FileSystem.flushFileSystem(through: file) }
}

extension OpenDirectory {
    /// Opens the directory that an operator names: links on the way are followed if they belong to root or to us. One of another user, who may
    /// lead it to another place at any moment, throws `Errno.notPermitted`.
    public convenience init(following path: FilePath) throws(Errno) {
        var steps = Array(path.components.reversed())
        var at = OpenDirectory("/", openAs: try FileSystem.open(path.isAbsolute ? "/" : ".", O_DIRECTORY))
        var links = 0
        while let step = steps.popLast() {
            guard step.kind != .parentDirectory else {
                at = try Self(at, "..")
                continue
            }
            guard step.kind == .regular else { continue }
            let name = FilePath(root: nil, [step])
            let status = try at.status(of: name)
            guard status.kind == .symbolicLink else {
                at = try Self(at, name)
                continue
            }
            guard status.uid == 0 || status.uid == geteuid() else { throw Errno.notPermitted }
            links += 1
            guard links <= 40, let target = FilePath(bytes: try at.target(ofLink: name)) else {
                throw Errno.tooManySymbolicLinkLevels
            }
            if target.isAbsolute { at = OpenDirectory("/", openAs: try FileSystem.open("/", O_DIRECTORY)) }
            steps += target.components.reversed()
        }
        self.init(path, openAs: try FileSystem.duplicate(at.file))
    }

    private convenience init(_ parent: OpenDirectory, _ name: FilePath) throws(Errno) {
        let opened = name.withPlatformString {
            openat(parent.file.rawValue, $0, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        }
        guard opened >= 0 else { throw Errno(rawValue: errno) }
        self.init(parent.path, openAs: FileDescriptor(rawValue: opened))
    }
}
