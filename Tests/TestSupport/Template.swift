import DumpCore
import Glibc
import Linux
import Synchronization
import SystemPackage

/// A directory that is made once for all tests of the process, and copied for each: that takes a tenth of the time.
public actor Template {
    private let fill: @Sendable (FilePath) async throws -> Void
    private var creation: Task<FilePath, any Error>?

    /// - Parameter fill: makes what is in a new directory.
    init(_ fill: @escaping @Sendable (FilePath) async throws -> Void) { self.fill = fill }

    /// Copies what is called `name` in it.
    func copy(_ name: FilePath.Component, to place: FilePath) async throws {
        let copied = try await runProgram("cp", ["-a", try await directory().appending(name).string, place.string])
        guard copied.succeeded else { throw HostError(description: copied.lastErrors) }
    }

    /// Copies the directory that is in its file `data.tar`. With a thousand small files, that takes half as long as to copy each.
    func unpack(to place: FilePath) async throws {
        let archive = try await directory().appending("data.tar")
        try FileSystem.createDirectory(place)
        try await output("tar", "--extract", "--numeric-owner", "--file=\(archive)", "--directory=\(place)")
    }

    /// Packs a directory of a template for `unpack`, and removes it.
    static func pack(_ data: FilePath) async throws {
        try await output(
            "tar", "--create", "--numeric-owner", "--blocking-factor=512", "--file=\(data).tar", "--directory=\(data)",
            ".")
        try FileTree(data).remove()
    }

    /// Where it is.
    func directory() async throws -> FilePath {
        let creation =
            creation
            ?? Task { [fill] in
                let directory = try Self.newDirectory()
                try await fill(directory)
                return directory
            }
        self.creation = creation
        return try await creation.value
    }

    private static func newDirectory() throws -> FilePath {
        var path = Array("/tmp/muster-template-XXXXXX".utf8CString)
        guard mkdtemp(&path) != nil else { throw Errno(rawValue: errno) }
        let directory = FilePath(platformString: path)
        made.withLock { directories in
            // The best that can be done at the end of a process; what is left is in the temporary directory.
            if directories.isEmpty {
                atexit { made.withLock { for directory in $0 { try? FileTree(directory).remove() } } }
            }
            directories.append(directory)
        }
        return directory
    }
}

private let made = Mutex<[FilePath]>([])
