import CLinux
import Glibc
import SystemPackage

extension OpenDirectory {
    public func setOwner(of path: FilePath, to uid: UInt32, _ gid: UInt32) throws(Errno) {
        guard !path.isEmpty else { return try FileSystem.call { fchown(file.rawValue, uid, gid) } }
        try at(path) { fchownat($0, $1, uid, gid, AT_SYMLINK_NOFOLLOW) }
    }

    /// Sets the mode of anything but a symbolic link, which has none of its own.
    public func setMode(of path: FilePath, to mode: UInt32) throws(Errno) {
        guard !path.isEmpty else { return try FileSystem.call { fchmod(file.rawValue, mode) } }
        // fchmodat(2) would follow a link that has come to the place, and a FIFO or a device cannot be opened to be changed.
        let found = try open(path, clinux_path_only)
        defer { try? found.close() }
        guard try FileSystem.status(of: found).kind != .symbolicLink else { throw Errno.tooManySymbolicLinkLevels }
        try FileSystem.call { chmod("/proc/self/fd/\(found.rawValue)", mode) }
    }

    /// Sets the time of the last change of contents, in nanoseconds since 1970, and leaves the time of access.
    public func setModified(_ path: FilePath, to time: Int64) throws(Errno) {
        let times = FileSystem.times(modified: time)
        guard !path.isEmpty else { return try FileSystem.call { futimens(file.rawValue, times) } }
        try at(path) { utimensat($0, $1, times, AT_SYMLINK_NOFOLLOW) }
    }

    // MARK: Extended attributes

    /// The attributes of a file, a directory or a link itself, sorted by name.
    public func attributes(of path: FilePath, kind: FileStatus.Kind) throws(Errno) -> [ExtendedAttribute] {
        try whatLies(at: path, kind) { file, kind throws(Errno) in try Self.attributes(of: file, kind) }
    }

    /// What the status of something does not say of it: where a link leads to, and attributes.
    ///
    /// Throws `Errno.noSuchFileOrDirectory` when something else is there by now than what the status is of.
    public func details(
        of path: FilePath, _ status: FileStatus
    ) throws(Errno) -> (target: [UInt8]?, attributes: [ExtendedAttribute]) {
        try whatLies(at: path, status.kind) { file, kind throws(Errno) in
            guard FileNumber(try FileSystem.status(of: file)) == FileNumber(status) else {
                throw .noSuchFileOrDirectory
            }
            let target: [UInt8]? = kind == .symbolicLink ? try Self.target(of: file, "") : nil
            return (target, try Self.attributes(of: file, kind))
        }
    }

    /// Opens it: what cannot be opened, links and special files, for its place alone.
    private func whatLies<Result>(
        at path: FilePath, _ kind: FileStatus.Kind,
        _ body: (FileDescriptor, FileStatus.Kind) throws(Errno) -> Result
    ) throws(Errno) -> Result {
        let isReadable = kind == .file || kind == .directory
        let file = isReadable ? try openFile(path) : try openInPlace(path, clinux_path_only)
        // Nothing was written through it.
        defer { try? file.close() }
        return try body(file, kind)
    }

    private static func attributes(
        of file: FileDescriptor, _ kind: FileStatus.Kind
    ) throws(Errno) -> [ExtendedAttribute] {
        guard kind != .file, kind != .directory else { return try ExtendedAttribute.all(of: file) }
        // There is no call for what is open for its place alone; this path leads to a link itself.
        let path = "/proc/self/fd/\(file.rawValue)"
        return try ExtendedAttribute.read {
            listxattr(path, $0, $1)
        } value: {
            getxattr(path, $0, $1, $2)
        }
    }

    public func setAttributes(
        _ attributes: [ExtendedAttribute], of path: FilePath, kind: FileStatus.Kind
    ) throws(Errno) {
        guard !attributes.isEmpty else { return }
        guard kind == .file || kind == .directory else {
            return try through(path) { path throws(Errno) in
                for attribute in attributes {
                    try FileSystem.call {
                        attribute.value.withUnsafeBytes {
                            lsetxattr(path, attribute.nameWithNUL, $0.baseAddress, $0.count, 0)
                        }
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
        let place = try place(of: path)
        defer { place.stayOpen() }
        let text = Array("/proc/self/fd/\(place.directory.file.rawValue)/".utf8CString.dropLast()) + place.name
        return try body(text)
    }
}
