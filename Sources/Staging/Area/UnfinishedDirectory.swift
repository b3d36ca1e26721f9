import Documents
import DumpCore
import Linux
import SystemPackage

/// A directory outside of the staging area, beside the target of a command that fills it. Only a kill leaves it there.
public struct UnfinishedDirectory: Sendable, Codable, Hashable {
    public var path: String
    /// Such as `muster extract`.
    public var command: String
    public var at: Timestamp
    var owner: ProcessIdentity

    public init(_ path: FilePath, of command: String, by owner: ProcessIdentity = .current) {
        self.path = path.string
        self.command = command
        self.at = .now
        self.owner = owner
    }

    /// Whether it is still there, and no process fills it any longer.
    var isLeft: Bool { !owner.isAlive && exists }

    var exists: Bool { (try? FileSystem.status(of: FilePath(path)).kind) == .directory }
}

/// What is on record of them, one file each: `unfinished/<run-id>.json`. Needs no lock.
extension StagingArea {
    var unfinished: FilePath { root.appending("unfinished") }

    /// Writes one down, before it is made, and forgets those that are gone.
    public func record(_ directory: UnfinishedDirectory, as id: RunID) async throws(StagingError) {
        let area = self
        try await onOwnThread { () throws(StagingError) in
            if try !area.exists(area.unfinished) {
                try attempting(to: "create", area.unfinished) { try FileSystem.createDirectory(area.unfinished) }
            }
            for (file, other) in try area.unfinishedRecords() where !other.owner.isAlive && !other.exists {
                try file.remove()
            }
            let file = area.unfinishedFile(id)
            try file.replace(attempting(to: "encode", file.path) { try SnakeCaseJSON.encode(directory) })
        }
    }

    /// Removes the record of a directory that is in its place or removed.
    public func forgetUnfinished(_ id: RunID) async throws(StagingError) {
        let file = unfinishedFile(id)
        try await onOwnThread { () throws(StagingError) in try file.remove() }
    }

    /// Those that a killed command has left, the oldest first.
    public func unfinishedDirectories() async throws(StagingError) -> [UnfinishedDirectory] {
        let area = self
        return try await onOwnThread { () throws(StagingError) in
            guard try area.exists(area.unfinished) else { return [] }
            return try area.unfinishedRecords().map(\.directory).filter(\.isLeft)
        }
    }

    private func unfinishedFile(_ id: RunID) -> SmallFile { SmallFile(unfinished.appending("\(id).json")) }

    private func unfinishedRecords() throws(StagingError) -> [(file: SmallFile, directory: UnfinishedDirectory)] {
        let names = try attempting(to: "list", unfinished) { try FileSystem.names(in: unfinished) }
        var records: [(SmallFile, UnfinishedDirectory)] = []
        for name in names where name.string.hasSuffix(".json") {
            let file = SmallFile(unfinished.appending(name))
            // Another command may remove its own at this moment. One that cannot be read names nothing.
            guard let bytes = try? file.read(longest: 1 << 16),
                let directory = try? SnakeCaseJSON.decode(UnfinishedDirectory.self, from: bytes)
            else { continue }
            records.append((file, directory))
        }
        return records
    }
}
