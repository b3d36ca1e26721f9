import CLinux
import Glibc
import SystemPackage

/// System calls on paths that neither swift-system nor Swift's Glibc has, or has in a typed form.
public enum FileSystem {
    /// Swaps two names of one file system at one instant: `renameat2(2)`, `RENAME_EXCHANGE`.
    public static func exchange(_ one: FilePath, _ other: FilePath) throws(Errno) {
        try check(one.withPlatformString { one in other.withPlatformString { clinux_exchange(one, $0) } })
    }

    /// Renames, and throws `Errno.fileExists` when the new name is taken.
    public static func renameNew(_ from: FilePath, to: FilePath) throws(Errno) {
        try check(from.withPlatformString { from in to.withPlatformString { clinux_rename_new(from, $0) } })
    }

    /// Renames, replacing a file or an empty directory at the new name: `rename(2)`.
    public static func rename(_ from: FilePath, to: FilePath) throws(Errno) {
        try call { from.withPlatformString { from in to.withPlatformString { Glibc.rename(from, $0) } } }
    }

    /// A second name for a file: `link(2)`. Throws `Errno.fileExists` when the name is taken.
    public static func link(_ existing: FilePath, as new: FilePath) throws(Errno) {
        try call { existing.withPlatformString { old in new.withPlatformString { Glibc.link(old, $0) } } }
    }

    /// Creates one directory with exactly this mode, whatever the umask and the access control lists of the directory above it.
    public static func createDirectory(_ path: FilePath, mode: mode_t = 0o700) throws(Errno) {
        try call { path.withPlatformString { mkdir($0, mode) } }
        try call { path.withPlatformString { chmod($0, mode) } }
        try removeInheritedAccess(path)
    }

    /// The access control lists that a new directory has from the one above it, and would hand on to all that is made in it.
    private static func removeInheritedAccess(_ path: FilePath) throws(Errno) {
        for name in ["system.posix_acl_default", "system.posix_acl_access"] {
            // Most have none, and some file systems do not support them.
            guard path.withPlatformString({ lgetxattr($0, name, nil, 0) }) >= 0 else { continue }
            try call { path.withPlatformString { lremovexattr($0, name) } }
        }
    }

    /// Sets the time of the last change of contents, in nanoseconds since 1970, and leaves the time of access.
    public static func setModified(_ path: FilePath, to time: Int64) throws(Errno) {
        let times = times(modified: time)
        try call { path.withPlatformString { utimensat(AT_FDCWD, $0, times, AT_SYMLINK_NOFOLLOW) } }
    }

    /// For utimensat(2): the time of access stays as it is.
    static func times(modified time: Int64) -> [timespec] {
        [
            timespec(tv_sec: 0, tv_nsec: (1 << 30) - 2),  // UTIME_OMIT, which Swift's Glibc does not show
            timespec(nanoseconds: time),
        ]
    }

    /// Removes a file, a symbolic link, or whatever else is not a directory. Nothing there is fine.
    public static func removeFile(_ path: FilePath) throws(Errno) {
        do {
            try call { path.withPlatformString { unlink($0) } }
        } catch Errno.noSuchFileOrDirectory {}
    }

    /// Removes an empty directory: `rmdir(2)`. Nothing there is fine; a mount point, or one that holds something, is an error.
    public static func removeEmptyDirectory(_ path: FilePath) throws(Errno) {
        do {
            try call { path.withPlatformString { rmdir($0) } }
        } catch Errno.noSuchFileOrDirectory {}
    }

    /// Opens what should be a file to read it. A symbolic link is an error (`ELOOP`), and a FIFO is not waited for: look at its kind before reading.
    public static func openToRead(_ path: FilePath) throws(Errno) -> FileDescriptor { try open(path, O_NONBLOCK) }

    /// Flushes the names in a directory to disk, or the bytes of a file: `fsync(2)`.
    public static func flush(_ path: FilePath) throws(Errno) {
        try withDescriptor(path) { descriptor in fsync(descriptor) }
    }

    /// Flushes the directory that has an entry: itself, where its name is a link's.
    public static func flush(parentOf path: FilePath) throws(Errno) {
        try flush(path.removingLastComponent().appending("."))
    }

    /// The same of an open file.
    public static func flush(_ file: FileDescriptor) throws(Errno) { try call { fsync(file.rawValue) } }

    /// Flushes all of the file system that an open file is on: `syncfs(2)`. Faster than one `fsync` for each of many files.
    ///
    /// Throws when anything on it could not be written back since the file was opened (Linux 5.8 and newer). So open the file before the
    /// first byte that matters.
    public static func flushFileSystem(through file: FileDescriptor) throws(Errno) {
        try check(clinux_sync_filesystem(file.rawValue))
    }

    /// Begins to write a file to disk, and waits for nothing: `sync_file_range(2)`. A later flush then has less to do.
    public static func startWriteback(of path: FilePath) throws(Errno) {
        try withDescriptor(path) { clinux_start_writeback($0) < 0 ? -1 : 0 }
    }

    /// Bytes that this process may still write on the file system of `path`. The reserve of root (`f_bfree`) is not counted.
    public static func availableBytes(at path: FilePath) throws(Errno) -> Int64 {
        var facts = statvfs()
        try call { path.withPlatformString { statvfs($0, &facts) } }
        return Int64(facts.f_bavail) * Int64(facts.f_frsize)
    }

    /// What the kernel tells the file system of `path` by (`f_fsid`): with most, the same at each mount.
    public static func identity(at path: FilePath) throws(Errno) -> String {
        var facts = statvfs()
        try call { path.withPlatformString { statvfs($0, &facts) } }
        return String(facts.f_fsid, radix: 16)
    }

    /// What `lstat(2)` says of `path`: a symbolic link is not followed.
    public static func status(of path: FilePath) throws(Errno) -> FileStatus {
        var facts = stat()
        try call { path.withPlatformString { lstat($0, &facts) } }
        return FileStatus(facts)
    }

    /// What `fstat(2)` says of an open file.
    public static func status(of file: FileDescriptor) throws(Errno) -> FileStatus {
        var facts = stat()
        try call { fstat(file.rawValue, &facts) }
        return FileStatus(facts)
    }

    /// The names in a directory, without `.` and `..`, in the order of their bytes.
    public static func names(in directory: FilePath) throws(Errno) -> [FilePath.Component] {
        guard let stream = directory.withPlatformString({ opendir($0) }) else { throw Errno(rawValue: errno) }
        defer { closedir(stream) }
        return try names(of: stream)
    }

    /// What is left of an open directory's names, sorted.
    static func names(of stream: OpaquePointer) throws(Errno) -> [FilePath.Component] {
        var names: [[CChar]] = []
        try forEachName(of: stream) { names.append(Array(UnsafeBufferPointer(start: $0, count: strlen($0) + 1))) }
        // As bytes, not as text: names need not be UTF-8, and are compared in a fraction of the time.
        names.sort { strcmp($0, $1) < 0 }
        return names.compactMap { FilePath.Component(platformString: $0) }
    }

    /// Calls `body` with each name that is left of an open directory, but `.` and `..`. It ends with NUL, and is valid during the call only.
    static func forEachName(of stream: OpaquePointer, _ body: (UnsafePointer<CChar>) -> Void) throws(Errno) {
        while true {
            errno = 0
            guard let entry = readdir(stream) else {
                if errno != 0 { throw Errno(rawValue: errno) }
                return
            }
            withUnsafePointer(to: &entry.pointee.d_name) { field in
                field.withMemoryRebound(to: CChar.self, capacity: 256) { name in
                    if strcmp(name, ".") != 0, strcmp(name, "..") != 0 { body(name) }
                }
            }
        }
    }

    static func call(_ body: () -> Int32) throws(Errno) {
        while body() != 0 {
            guard errno == EINTR else { throw Errno(rawValue: errno) }
        }
    }

    /// For reading; not what a symbolic link leads to.
    static func open(_ path: FilePath, _ options: Int32 = 0) throws(Errno) -> FileDescriptor {
        var opened: Int32 = -1
        try call {
            opened = path.withPlatformString { Glibc.open($0, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | options) }
            return opened < 0 ? -1 : 0
        }
        return FileDescriptor(rawValue: opened)
    }

    /// A second descriptor of an open file.
    static func duplicate(_ file: FileDescriptor) throws(Errno) -> FileDescriptor {
        let copy = fcntl(file.rawValue, F_DUPFD_CLOEXEC, 0)
        guard copy >= 0 else { throw Errno(rawValue: errno) }
        return FileDescriptor(rawValue: copy)
    }

    private static func withDescriptor(_ path: FilePath, _ body: (Int32) -> Int32) throws(Errno) {
        let file = try open(path)
        defer { close(file.rawValue) }
        try call { body(file.rawValue) }
    }
}
