import CLinux
import Glibc
import SystemPackage

/// A directory that is open, and whatever lies below it, by paths relative to it.
///
/// However long the path to the directory itself is: the kernel's limit of 4095 bytes holds for the relative path alone. Nothing is
/// opened through a symbolic link, so that nobody who may write there leads us out of the directory by putting one in the place of another;
/// for all else a link at the end of a path is not followed. An empty path is the directory itself.
public final class OpenDirectory: Sendable {
    /// For messages.
    public let path: FilePath
    private let file: FileDescriptor

    /// Throws `Errno.tooManySymbolicLinkLevels` or `Errno.notDirectory` for what is no directory, a link to one included.
    public init(_ path: FilePath) throws(Errno) {
        self.path = path
        file = try FileSystem.open(path, O_DIRECTORY)
    }

    // Nothing is written through it, so there is nothing that closing could report.
    deinit { try? file.close() }

    // MARK: Looking

    /// What `lstat(2)` says.
    public func status(of path: FilePath) throws(Errno) -> FileStatus {
        guard !path.isEmpty else { return try FileSystem.status(of: file) }
        var facts = stat()
        try FileSystem.call {
            path.withPlatformString { fstatat(file.rawValue, $0, &facts, AT_SYMLINK_NOFOLLOW) }
        }
        return FileStatus(facts)
    }

    /// The names in a directory, without `.` and `..`, in the order of their bytes.
    public func names(in directory: FilePath) throws(Errno) -> [FilePath.Component] {
        let opened = try open(directory, O_RDONLY | O_DIRECTORY)
        guard let stream = fdopendir(opened.rawValue) else {
            let error = Errno(rawValue: errno)
            try? opened.close()
            throw error
        }
        defer { closedir(stream) }
        return try FileSystem.names(of: stream)
    }

    /// Opens for reading. Of a FIFO or a device nobody should ask that.
    ///
    /// Somebody with a lease on the file, such as a file server, is waited for: as long as the kernel gives him, fcntl(2), and a little longer.
    public func openFile(_ path: FilePath) throws(Errno) -> FileDescriptor {
        for _ in 1...500 {
            do { return try open(path, O_RDONLY | O_NONBLOCK) } catch .wouldBlock { usleep(100_000) }
        }
        return try open(path, O_RDONLY | O_NONBLOCK)
    }

    /// The text of a symbolic link, as bytes: a path would lose a slash too many.
    public func target(ofLink path: FilePath) throws(Errno) -> [UInt8] {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        let count = path.withPlatformString { readlinkat(file.rawValue, $0, &buffer, buffer.count) }
        guard count >= 0 else { throw Errno(rawValue: errno) }
        return buffer[..<count].map { UInt8(bitPattern: $0) }
    }

    // MARK: Making

    /// A new empty file for writing, readable by its owner only.
    public func createFile(_ path: FilePath) throws(Errno) -> FileDescriptor {
        try open(path, O_RDWR | O_CREAT | O_EXCL, 0o600)
    }

    public func createDirectory(_ path: FilePath) throws(Errno) {
        try FileSystem.call { path.withPlatformString { mkdirat(file.rawValue, $0, 0o700) } }
    }

    public func createLink(_ path: FilePath, to target: [UInt8]) throws(Errno) {
        let text = target.map { CChar(bitPattern: $0) } + [0]
        try FileSystem.call { path.withPlatformString { symlinkat(text, file.rawValue, $0) } }
    }

    /// A FIFO or a device, which nobody opens.
    public func createNode(_ path: FilePath, like status: FileStatus) throws(Errno) {
        let kind: mode_t =
            switch status.kind {
            case .fifo: S_IFIFO
            case .characterDevice: S_IFCHR
            case .blockDevice: S_IFBLK
            case .file, .directory, .symbolicLink, .socket: throw Errno.invalidArgument
            }
        try FileSystem.call {
            path.withPlatformString { mknodat(file.rawValue, $0, kind | 0o600, dev_t(status.node)) }
        }
    }

    /// A second name for a file that lies below `other`.
    public func link(_ existing: FilePath, of other: OpenDirectory, as new: FilePath) throws(Errno) {
        try FileSystem.call {
            existing.withPlatformString { old in
                new.withPlatformString { linkat(other.file.rawValue, old, file.rawValue, $0, 0) }
            }
        }
    }

    /// Removes a name; of a directory only if it is empty.
    public func remove(_ path: FilePath, isDirectory: Bool = false) throws(Errno) {
        try FileSystem.call {
            path.withPlatformString { unlinkat(file.rawValue, $0, isDirectory ? AT_REMOVEDIR : 0) }
        }
    }

    // MARK: Changing

    public func setOwner(of path: FilePath, to uid: UInt32, _ gid: UInt32) throws(Errno) {
        guard !path.isEmpty else { return try FileSystem.call { fchown(file.rawValue, uid, gid) } }
        try FileSystem.call {
            path.withPlatformString { fchownat(file.rawValue, $0, uid, gid, AT_SYMLINK_NOFOLLOW) }
        }
    }

    /// Of anything but a symbolic link, which has none of its own.
    public func setMode(of path: FilePath, to mode: UInt32) throws(Errno) {
        guard !path.isEmpty else { return try FileSystem.call { fchmod(file.rawValue, mode) } }
        try FileSystem.call { path.withPlatformString { fchmodat(file.rawValue, $0, mode, 0) } }
    }

    /// Sets the time of the last change of contents, in nanoseconds since 1970, and leaves the time of access.
    public func setModified(_ path: FilePath, to time: Int64) throws(Errno) {
        let times = FileSystem.times(modified: time)
        guard !path.isEmpty else { return try FileSystem.call { futimens(file.rawValue, times) } }
        try FileSystem.call { path.withPlatformString { utimensat(file.rawValue, $0, times, AT_SYMLINK_NOFOLLOW) } }
    }

    // MARK: Extended attributes

    /// Of anything: a file, a directory, a link itself. Sorted by name.
    ///
    /// - Parameter kind: of what lies there. Links and special files, which cannot be opened, are reached by a path that is some 20 bytes longer.
    public func attributes(of path: FilePath, kind: FileStatus.Kind) throws(Errno) -> [ExtendedAttribute] {
        guard kind == .file || kind == .directory else {
            return try through(path) { path throws(Errno) in
                try ExtendedAttribute.read {
                    llistxattr(path, $0, $1)
                } value: {
                    lgetxattr(path, $0, $1, $2)
                }
            }
        }
        let file = try openFile(path)
        // Nothing was written through it.
        defer { try? file.close() }
        return try ExtendedAttribute.all(of: file)
    }

    public func setAttributes(
        _ attributes: [ExtendedAttribute], of path: FilePath, kind: FileStatus.Kind
    ) throws(Errno) {
        guard !attributes.isEmpty else { return }
        guard kind == .file || kind == .directory else {
            return try through(path) { path throws(Errno) in
                for attribute in attributes {
                    try FileSystem.call {
                        attribute.value.withUnsafeBytes { lsetxattr(path, attribute.name, $0.baseAddress, $0.count, 0) }
                    }
                }
            }
        }
        let file = try openFile(path)
        defer { try? file.close() }
        for attribute in attributes { try attribute.set(on: file) }
    }

    /// There are no calls for attributes relative to a directory.
    private func through<Result>(
        _ path: FilePath, _ body: (UnsafePointer<CChar>) throws(Errno) -> Result
    ) throws(Errno) -> Result {
        try FilePath("/proc/self/fd/\(file.rawValue)").pushing(path).withPlatformString { text in
            Swift.Result { () throws(Errno) in try body(text) }
        }.get()
    }

    private func open(_ path: FilePath, _ options: Int32, _ mode: mode_t = 0) throws(Errno) -> FileDescriptor {
        let path = path.isEmpty ? "." : path
        let opened = path.withPlatformString {
            clinux_open_below(file.rawValue, $0, options | O_NOFOLLOW | O_CLOEXEC, mode)
        }
        guard opened >= 0 else { throw Errno(rawValue: -opened) }
        return FileDescriptor(rawValue: opened)
    }
}
