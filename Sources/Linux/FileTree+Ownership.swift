import Glibc
import SystemPackage

extension FileTree {
    /// Gives the root itself, which must be a directory, to another user. What is below it stays as it is.
    public func give(to user: UserAccount) throws(Errno) {
        try FileSystem.call { root.withPlatformString { lchown($0, user.uid, user.gid) } }
    }

    /// Makes our own user the owner of the root and everything below it, directories with mode 0700 and files with 0600.
    ///
    /// From the top down: once a directory is ours and closed, whoever owned it can no longer exchange what is in it. Throws
    /// `Errno.notSupported` for anything that is neither a file nor a directory: nothing was changed through a link.
    public func takeBack() throws(Errno) {
        try Self.take(root, isDirectory: true)
        for name in try FileSystem.names(in: root) {
            let path = root.appending(name)
            switch try FileSystem.status(of: path).kind {
            case .directory: try FileTree(path).takeBack()
            case .file: try Self.take(path, isDirectory: false)
            case .symbolicLink, .fifo, .socket, .characterDevice, .blockDevice: throw Errno.notSupported
            }
        }
    }

    private static func take(_ path: FilePath, isDirectory: Bool) throws(Errno) {
        try FileSystem.call { path.withPlatformString { lchown($0, geteuid(), getegid()) } }
        // By descriptor: chmod(2) would follow a link.
        let kind = isDirectory ? O_DIRECTORY : 0
        let descriptor = path.withPlatformString { open($0, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK | kind) }
        guard descriptor >= 0 else { throw Errno(rawValue: errno) }
        defer { close(descriptor) }
        try FileSystem.call { fchmod(descriptor, isDirectory ? 0o700 : 0o600) }
    }
}
