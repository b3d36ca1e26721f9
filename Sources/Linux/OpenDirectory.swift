import CLinux
import Glibc
import Synchronization
import SystemPackage

/// A directory that is open, and whatever is below it, by paths relative to it.
///
/// However long the path to the directory itself is: the kernel's limit of 4095 bytes holds for the relative path alone. No step of a path
/// follows a symbolic link, the last one included, or leads up. So a user who may write there cannot lead us out of the directory, whatever
/// he puts in its place. An empty path is the directory itself.
public final class OpenDirectory: Sendable {
    /// For messages.
    public let path: FilePath
    let file: FileDescriptor
    /// The directory below that was looked into last, kept open: most requests are for neighbours of the one before.
    let last = Mutex<Below?>(nil)
    /// Directories below that must be what they were: see `expect`. Hashes take a tenth of what their paths would.
    let expected = Mutex<Set<Int>>([])

    /// Throws `Errno.tooManySymbolicLinkLevels` or `Errno.notDirectory` unless it is a directory; a link to one is not.
    public init(_ path: FilePath) throws(Errno) {
        self.path = path
        file = try FileSystem.open(path, O_DIRECTORY)
    }

    /// The same for a path through directories that belong to users. A user's link on the way may lead only to what that user owns, or this
    /// throws `Errno.notPermitted`.
    public convenience init(alongUsers path: FilePath) throws(Errno) {
        self.init(path, openAs: try path.openAlongWay(.leadToTheirOwn, followingLast: false))
    }

    /// Opens the directory that an operator names. Links on the way are followed if they belong to root or to us. A link of another user
    /// throws `Errno.notPermitted`, because that user may lead it to another place at any moment.
    public convenience init(following path: FilePath) throws(Errno) {
        self.init(path, openAs: try path.openAlongWay(.refused, followingLast: true))
    }

    /// Takes over a descriptor of a directory.
    public init(_ path: FilePath, openAs file: FileDescriptor) {
        self.path = path
        self.file = file
    }

    // Nothing is written through it, so there is nothing that closing could report.
    deinit { try? file.close() }

    /// The same directory under a name that no other process can give to another, for as long as this is open.
    public var unmistakablePath: FilePath { FilePath("/proc/self/fd/\(file.rawValue)").appending(".") }

    // MARK: Looking

    /// What `lstat(2)` says.
    public func status(of path: FilePath) throws(Errno) -> FileStatus {
        guard !path.isEmpty else { return try FileSystem.status(of: file) }
        var facts = stat()
        try at(path) { fstatat($0, $1, &facts, AT_SYMLINK_NOFOLLOW) }
        return FileStatus(facts)
    }

    /// The names in a directory, without `.` and `..`, in the order of their bytes.
    public func names(in directory: FilePath) throws(Errno) -> [FilePath.Component] {
        // Another one may have come to its place since.
        forget(directory)
        let opened = try open(directory, O_RDONLY | O_DIRECTORY)
        try closing(opened) { file throws(Errno) in try requireExpected(directory.bytesWithNUL, file) }
        guard let stream = fdopendir(opened.rawValue) else {
            let error = Errno(rawValue: errno)
            try? opened.close()
            throw error
        }
        defer { closedir(stream) }
        return try FileSystem.names(of: stream)
    }

    /// Opens for reading. Never ask that for a FIFO or a device.
    ///
    /// Waits up to 50 s for a process that has a lease on the file, such as a file server. That is a little longer than the kernel gives it
    /// by default, fcntl(2).
    public func openFile(_ path: FilePath) throws(Errno) -> FileDescriptor {
        for _ in 1...500 {
            do { return try openInPlace(path, O_RDONLY | O_NONBLOCK) } catch .wouldBlock { usleep(100_000) }
        }
        return try openInPlace(path, O_RDONLY | O_NONBLOCK)
    }

    /// The text of a symbolic link, as bytes: a path would lose a slash too many.
    public func target(ofLink path: FilePath) throws(Errno) -> [UInt8] {
        let place = try place(of: path)
        defer { place.stayOpen() }
        return try Self.target(of: place.directory.file, place.name)
    }

    /// - Parameter name: in the directory that is open, or empty if the link itself is.
    static func target(of opened: FileDescriptor, _ name: UnsafePointer<CChar>) throws(Errno) -> [UInt8] {
        var buffer = [CChar](repeating: 0, count: Int(PATH_MAX))
        var count = 0
        try FileSystem.call {
            count = readlinkat(opened.rawValue, name, &buffer, buffer.count)
            return count < 0 ? -1 : 0
        }
        return buffer[..<count].map { UInt8(bitPattern: $0) }
    }

    // MARK: Making

    /// A new empty file for writing, readable by its owner only.
    public func createFile(_ path: FilePath) throws(Errno) -> FileDescriptor {
        try open(path, O_RDWR | O_CREAT | O_EXCL, 0o600)
    }

    public func createDirectory(_ path: FilePath) throws(Errno) {
        try at(path) { mkdirat($0, $1, 0o700) }
    }

    public func createLink(_ path: FilePath, to target: [UInt8]) throws(Errno) {
        let text = target.map { CChar(bitPattern: $0) } + [0]
        try at(path) { symlinkat(text, $0, $1) }
    }

    /// What is never opened.
    public enum Node: Sendable, Hashable {
        case fifo
        case characterDevice(_ major: UInt32, _ minor: UInt32)
        case blockDevice(_ major: UInt32, _ minor: UInt32)
    }

    public func createNode(_ path: FilePath, _ node: Node) throws(Errno) {
        let (kind, number): (mode_t, UInt64) =
            switch node {
            case .fifo: (S_IFIFO, 0)
            case .characterDevice(let major, let minor): (S_IFCHR, makeDevice(major, minor))
            case .blockDevice(let major, let minor): (S_IFBLK, makeDevice(major, minor))
            }
        try at(path) { mknodat($0, $1, kind | 0o600, dev_t(number)) }
    }

    public func createNode(_ path: FilePath, like status: FileStatus) throws(Errno) {
        switch status.kind {
        case .fifo: try createNode(path, .fifo)
        case .characterDevice: try createNode(path, .characterDevice(status.node.major, status.node.minor))
        case .blockDevice: try createNode(path, .blockDevice(status.node.major, status.node.minor))
        case .file, .directory, .symbolicLink, .socket: throw Errno.invalidArgument
        }
    }

    /// A second name for a file that is below `other`.
    public func link(_ existing: FilePath, of other: OpenDirectory, as new: FilePath) throws(Errno) {
        let (from, to) = (try other.place(of: existing), try place(of: new))
        defer {
            from.stayOpen()
            to.stayOpen()
        }
        try FileSystem.call {
            linkat(from.directory.file.rawValue, from.name, to.directory.file.rawValue, to.name, 0)
        }
    }

    /// Removes a name; that of a directory only if it is empty.
    public func remove(_ path: FilePath, isDirectory: Bool = false) throws(Errno) {
        if isDirectory { forget(path) }
        try at(path) { unlinkat($0, $1, isDirectory ? AT_REMOVEDIR : 0) }
    }
}
