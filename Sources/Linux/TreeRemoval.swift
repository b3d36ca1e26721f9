import CLinux
import Glibc
import SystemPackage

/// Removes all that is in a directory, at any depth and with paths of any length.
///
/// Each directory is opened from the one above it, by its name alone. What is deeper than so many open directories is moved to the top and
/// removed from there. Names stay bytes, as they are made into paths a thousand times as slowly.
final class TreeRemoval {
    private let root: OpenDirectory
    private var movedCount = 0

    /// Each level holds a descriptor.
    static let deepest = 64

    init(of root: OpenDirectory) { self.root = root }

    func perform() throws(Errno) {
        var before: Int
        repeat {
            before = movedCount
            try empty(root.file.rawValue, ".", depth: 0)
        } while movedCount > before
    }

    private func empty(_ parent: Int32, _ name: UnsafePointer<CChar>, depth: Int) throws(Errno) {
        let directory = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard directory >= 0 else { throw Errno(rawValue: errno) }
        guard let stream = fdopendir(directory) else {
            let error = Errno(rawValue: errno)
            close(directory)
            throw error
        }
        defer { closedir(stream) }
        var names: [[CChar]] = []
        try FileSystem.forEachName(of: stream) {
            names.append(Array(UnsafeBufferPointer(start: $0, count: strlen($0) + 1)))
        }
        for name in names {
            // Something else may be removing it too.
            do { try remove(name, from: directory, depth) } catch .noSuchFileOrDirectory {}
        }
    }

    private func remove(_ name: [CChar], from directory: Int32, _ depth: Int) throws(Errno) {
        // The kernel knows what it is; a look before could be of something else.
        do { return try FileSystem.call { unlinkat(directory, name, 0) } } catch .isDirectory {}
        if !UserAccount.currentIsRoot { try makeOurs(name, in: directory) }
        guard depth < Self.deepest else { return try moveToTop(name, of: directory) }
        try empty(directory, name, depth: depth + 1)
        try FileSystem.call { unlinkat(directory, name, AT_REMOVEDIR) }
    }

    /// A directory whose mode does not let us, as in a copy of a tree. Root needs no mode.
    private func makeOurs(_ name: [CChar], in directory: Int32) throws(Errno) {
        let found = openat(directory, name, clinux_path_only | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
        guard found >= 0 else { throw Errno(rawValue: errno) }
        defer { close(found) }
        try FileSystem.call { chmod("/proc/self/fd/\(found)", 0o700) }
    }

    private func moveToTop(_ name: [CChar], of directory: Int32) throws(Errno) {
        movedCount += 1
        while true {
            // A name that nothing there can have been given before, however many names there are.
            let new = ".removed-\(UInt64.random(in: .min ... .max))"
            do {
                return try FileSystem.call { renameat(directory, name, root.file.rawValue, new) }
            } catch  where [.directoryNotEmpty, .notDirectory, .fileExists].contains(error) {}
        }
    }
}
