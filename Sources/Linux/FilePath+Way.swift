import CLinux
import Glibc
import SystemPackage

/// What becomes of a symbolic link that a user other than root and us has put on a way.
enum LinksOfUsers {
    /// Followed only to what belongs to that user.
    case leadToTheirOwn
    case refused
}

extension FilePath {
    /// Opens what is at a path for its place alone, step by step, and calls `body` with it.
    ///
    /// Who owns a directory on the way could lead us by a symbolic link to what he may not enter. Throws `Errno.notPermitted` for a link that
    /// is not to be followed.
    ///
    /// - Parameter followingLast: whether a link at the end is followed too, or opened itself.
    func withWay<Result>(
        _ links: LinksOfUsers = .leadToTheirOwn, followingLast: Bool = true,
        _ body: (FileDescriptor) throws(Errno) -> Result
    ) throws(Errno) -> Result {
        var way = Way(linksOfUsers: links)
        let start = try Way.Place("/", from: AT_FDCWD)
        let path = isAbsolute ? self : FilePath("/proc/self/cwd").pushing(self)
        let end = try way.walk(path.components, from: start, followingLast: followingLast)
        // It closes itself when nothing needs it any longer.
        defer { withExtendedLifetime(end) {} }
        return try body(end.file)
    }

    /// Opens a directory that way, for what is in it.
    func openAlongWay(_ links: LinksOfUsers, followingLast: Bool) throws(Errno) -> FileDescriptor {
        try withWay(links, followingLast: followingLast) { place throws(Errno) in
            guard try FileSystem.status(of: place).kind != .symbolicLink else { throw .tooManySymbolicLinkLevels }
            let opened = openat(place.rawValue, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)
            guard opened >= 0 else { throw Errno(rawValue: errno) }
            return FileDescriptor(rawValue: opened)
        }
    }
}

/// A walk along a path, link by link.
private struct Way {
    /// As many as the kernel follows.
    private var linksLeft = 40
    private let linksOfUsers: LinksOfUsers

    init(linksOfUsers: LinksOfUsers) { self.linksOfUsers = linksOfUsers }

    /// What is open for its place alone.
    final class Place {
        let file: FileDescriptor

        init(_ name: UnsafePointer<CChar>, from directory: Int32, options: Int32 = O_NOFOLLOW) throws(Errno) {
            let opened = openat(directory, name, clinux_path_only | O_CLOEXEC | options)
            guard opened >= 0 else { throw Errno(rawValue: errno) }
            file = FileDescriptor(rawValue: opened)
        }

        // Nothing was written through it.
        deinit { try? file.close() }

        func status() throws(Errno) -> FileStatus { try FileSystem.status(of: file) }

        /// Where a link leads to. Nil for those of /proc, which lead to what they stand for, whatever their text says.
        func target() throws(Errno) -> FilePath? {
            guard clinux_is_in_proc(file.rawValue) == 0 else { return nil }
            return FilePath(bytes: try OpenDirectory.target(of: file, ""))
        }

        func enter(_ component: FilePath.Component, options: Int32 = O_NOFOLLOW) throws(Errno) -> Place {
            try component.withPlatformString { name in
                Result { () throws(Errno) in try Place(name, from: file.rawValue, options: options) }
            }.get()
        }
    }

    mutating func walk(
        _ components: FilePath.ComponentView, from start: Place, followingLast: Bool
    ) throws(Errno) -> Place {
        var here = start
        var rest = components[...]
        while let component = rest.popFirst() {
            let follows = followingLast || !rest.isEmpty
            here = try enter(component, from: here, follows)
        }
        return here
    }

    private mutating func enter(
        _ component: FilePath.Component, from here: Place, _ follows: Bool
    ) throws(Errno) -> Place {
        let found = try here.enter(component)
        let link = try found.status()
        guard follows, link.kind == .symbolicLink else { return found }
        let isOfUser = link.uid != 0 && link.uid != geteuid()
        guard !isOfUser || linksOfUsers == .leadToTheirOwn else { throw .notPermitted }
        linksLeft -= 1
        guard linksLeft >= 0 else { throw .tooManySymbolicLinkLevels }
        guard let target = try found.target() else { return try here.enter(component, options: 0) }
        let start = target.isAbsolute ? try Place("/", from: AT_FDCWD) : here
        let end = try walk(target.components, from: start, followingLast: true)
        guard isOfUser else { return end }
        guard try end.status().uid == link.uid else { throw .notPermitted }
        return end
    }
}
