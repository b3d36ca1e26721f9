import CLinux
import Glibc
import SystemPackage

extension OpenDirectory {
    /// Where a path ends: a directory that is open, and a name in it.
    struct Place {
        var directory: Below
        /// Ends with NUL.
        var name: [CChar]

        /// To be called once the descriptor was used: another thread may have let go of the directory meanwhile, which closes it.
        func stayOpen() { withExtendedLifetime(directory) {} }
    }

    /// A directory that is kept open, or the open directory itself.
    final class Below: Sendable {
        /// Ends with NUL.
        let path: [CChar]
        let file: FileDescriptor
        private let isOwned: Bool

        init(_ path: [CChar], _ file: FileDescriptor, isOwned: Bool) {
            (self.path, self.file, self.isOwned) = (path, file, isOwned)
        }

        deinit { if isOwned { try? file.close() } }

        /// - Parameter directory: ends with NUL.
        func lies(below directory: [CChar]) -> Bool {
            path.starts(with: directory.dropLast()) && path[directory.count - 1] == OpenDirectory.slash
        }
    }

    /// Calls `body` with the directory that a path ends in and the name that it has there, until no signal interrupts it.
    func at(_ path: FilePath, _ body: (Int32, UnsafePointer<CChar>) -> Int32) throws(Errno) {
        let place = try place(of: path)
        defer { place.stayOpen() }
        try FileSystem.call { body(place.directory.file.rawValue, place.name) }
    }

    /// As bytes: to take a long path apart by its components takes a thousand times as long.
    func place(of path: FilePath) throws(Errno) -> Place {
        let (directory, name) = path.withPlatformString { text in
            let whole = UnsafeBufferPointer(start: text, count: strlen(text) + 1)
            let start = whole.lastIndex(of: Self.slash).map { $0 + 1 } ?? 0
            return (Array(whole[..<max(start - 1, 0)]), Array(whole[start...]))
        }
        let isAbsolute = path.withPlatformString { $0[0] == Self.slash }
        guard !isAbsolute, name != [0], name != Self.dots + [0], name != Self.dots.dropLast() + [0] else {
            throw Errno.improperLink
        }
        return Place(directory: try self.directory(directory + [0]), name: name)
    }

    /// Opens what is at a path, without following a link.
    func open(_ path: FilePath, _ options: Int32, _ mode: mode_t = 0) throws(Errno) -> FileDescriptor {
        let path = path.isEmpty ? "." : path
        return try path.withPlatformString { text in
            Result { () throws(Errno) in try open(text, options, mode) }
        }.get()
    }

    /// The same by way of the directory that it is in, which must be the expected one.
    func openInPlace(_ path: FilePath, _ options: Int32) throws(Errno) -> FileDescriptor {
        guard !path.isEmpty else { return try open(path, options) }
        let place = try place(of: path)
        defer { place.stayOpen() }
        let opened = clinux_open_below(place.directory.file.rawValue, place.name, options | O_NOFOLLOW | O_CLOEXEC, 0)
        guard opened >= 0 else { throw Errno(rawValue: -opened) }
        return FileDescriptor(rawValue: opened)
    }

    /// Another directory may come to this place, and so to all below it.
    func forget(_ directory: FilePath) {
        let path = directory.bytesWithNUL
        last.withLock { if let known = $0, known.path == path || known.lies(below: path) { $0 = nil } }
    }

    private func directory(_ path: [CChar]) throws(Errno) -> Below {
        if path == [0] { return Below(path, file, isOwned: false) }
        if let known = last.withLock({ $0 }), known.path == path { return known }
        let found = Below(path, try open(path, clinux_path_only | O_DIRECTORY, 0), isOwned: true)
        try requireExpected(path, found.file)
        last.withLock { $0 = found }
        return found
    }

    private func open(_ text: UnsafePointer<CChar>, _ options: Int32, _ mode: mode_t) throws(Errno) -> FileDescriptor {
        let opened = clinux_open_below(file.rawValue, text, options | O_NOFOLLOW | O_CLOEXEC, mode)
        guard opened >= 0 else { throw Errno(rawValue: -opened) }
        return FileDescriptor(rawValue: opened)
    }

    static let slash = CChar(bitPattern: UInt8(ascii: "/"))
    private static let dots = [CChar](repeating: CChar(bitPattern: UInt8(ascii: ".")), count: 2)
}
