import Linux
import SystemPackage

/// A file for programs of other users, such as a web server: mode 0644, and replaced as a whole.
enum PublicFile {
    /// Blocking. Works in the directory as it is when it is opened, and on the new file alone: its owner may exchange what is in it at any
    /// moment. Throws `Errno`.
    ///
    /// - Parameter draft: the name of the new file until it is complete. What has it is removed.
    static func replace(_ path: FilePath, holding bytes: [UInt8], draft: FilePath) throws {
        guard let name = path.lastComponent else { throw Errno.isDirectory }
        // Links are followed where only root and we could have made them.
        let place = try OpenDirectory(following: path.removingLastComponent())
        try requireFile(name, in: place)
        try? place.remove(draft)
        do {
            try fill(place.createFile(draft), bytes)
            try place.rename(draft, to: FilePath(root: nil, [name]))
        } catch {
            // The error at hand says more.
            try? place.remove(draft)
            throw error
        }
    }

    /// Or it would take the place of something else, or not fit in that of a directory. A link is replaced, and not followed.
    private static func requireFile(_ name: FilePath.Component, in place: OpenDirectory) throws(Errno) {
        guard let status = try? place.status(of: FilePath(root: nil, [name])) else { return }
        guard status.kind == .file || status.kind == .symbolicLink else { throw .fileExists }
    }

    private static func fill(_ file: FileDescriptor, _ bytes: [UInt8]) throws {
        try file.closeAfter {
            try file.setMode(0o644)
            _ = try file.writeAll(bytes)
            try FileSystem.flush(file)
        }
    }
}
