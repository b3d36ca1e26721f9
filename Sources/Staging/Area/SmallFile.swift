import DumpCore
import Linux
import SystemPackage

/// A file that is read and written as a whole: manifest, list of checksums, report, journal record.
public struct SmallFile: Sendable {
    /// What is added to the name of a file that is being written, until it is complete.
    static let unfinished = ".new"

    public let path: FilePath

    public init(_ path: FilePath) { self.path = path }

    /// Writes a new file of mode 0600. Not flushed.
    func create(_ bytes: [UInt8]) throws(StagingError) {
        try attempting(to: "write", path, needed: Int64(bytes.count)) { try writeNew(bytes, at: path) }
    }

    /// Writes the file, or replaces it as a whole. On return it is on disk; after a throw or a crash it is what it was.
    ///
    /// - Parameter mark: added to the name until the file is complete, before `unfinished`.
    public func replace(_ bytes: [UInt8], markedBy mark: String = "") throws(StagingError) {
        let new = FilePath(path.string + mark + Self.unfinished)
        do {
            try attempting(to: "write", path, needed: Int64(bytes.count)) {
                try FileSystem.removeFile(new)
                try writeNew(bytes, at: new)
                try giveWay(to: new)
            }
        } catch {
            // The error at hand says more; what is left has a name by which it is known and removed later.
            try? FileSystem.removeFile(new)
            throw error
        }
    }

    /// Puts a file that is complete in the place of this one. On return it is on disk.
    func giveWay(to new: FilePath) throws(Errno) {
        try FileSystem.flush(new)
        try FileSystem.rename(new, to: path)
        try FileSystem.flush(path.removingLastComponent())
    }

    private func writeNew(_ bytes: [UInt8], at path: FilePath) throws {
        let file = try FileSystem.createFile(path)
        _ = try file.closeAfter { try file.writeAll(bytes) }
    }

    /// Removes the file and flushes its directory. Nothing there is fine.
    public func remove() throws(StagingError) {
        try attempting(to: "remove", path) {
            try FileSystem.removeFile(path)
            try FileSystem.flush(path.removingLastComponent())
        }
    }

    /// The bytes of the file, or nil if it is not there. A symbolic link is not followed.
    ///
    /// - Parameter longest: how many bytes it may have. Throws `.unexpectedFile` for one that has more.
    public func read(longest: Int = .max) throws(StagingError) -> [UInt8]? {
        do {
            return try attempting(to: "read", path) { try readAll(longest) }
        } catch let error where error.underlying as? Errno == .noSuchFileOrDirectory {
            return nil
        }
    }

    private func readAll(_ longest: Int) throws -> [UInt8] {
        let file = try FileSystem.openToRead(path)
        return try file.closeAfter {
            let status = try FileSystem.status(of: file)
            guard status.kind == .file else {
                throw StagingError(.unexpectedFile, "\(path) is not a regular file")
            }
            guard status.bytes <= longest else {
                throw StagingError(
                    .unexpectedFile, "\(path) has \(formatBytes(status.bytes)), more than any file of its kind")
            }
            return try file.readAll(atMost: Int(status.bytes))
        }
    }
}
