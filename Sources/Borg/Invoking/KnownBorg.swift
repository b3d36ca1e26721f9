import DumpCore
import Linux
import SystemPackage

/// A borg executable that was asked for its version before, and by what it is recognized. Asking takes a start of Python.
public struct KnownBorg: Sendable, Codable, Equatable {
    var path: String
    var inode: UInt64
    /// Nanoseconds since 1970.
    var modified: Int64
    var bytes: Int64
    /// Such as `1.4.5`.
    var version: String

    /// The executable as it is now, or nil if it cannot be looked at. A symbolic link is the program it leads to.
    init?(_ executable: FilePath, _ version: BorgVersion) {
        guard let file = try? FileDescriptor.open(executable, .readOnly, options: .closeOnExec) else { return nil }
        defer { try? file.close() }
        guard let status = try? FileSystem.status(of: file) else { return nil }
        path = executable.string
        (inode, modified, bytes) = (status.inode, status.modified, status.bytes)
        self.version = version.description
    }

    /// The version, if the executable is still the one that was asked.
    func version(of executable: FilePath) -> BorgVersion? {
        guard let version = BorgVersion(printed: "borg \(version)"), KnownBorg(executable, version) == self else {
            return nil
        }
        return version
    }
}

extension BorgRepository {
    /// Has the borg that an earlier run knew taken for that if it has not changed since.
    public func recall(_ known: KnownBorg?) async { await installed.recall(known) }

    /// The borg that is used, for a later run to recall.
    public func knownBorg() async throws(BorgError) -> KnownBorg? {
        let program = try await installed.find()
        return KnownBorg(program.executable, program.version)
    }
}
