import Documents
import DumpCore
import Linux
import SystemPackage

/// What is remembered of a job's repositories, one file each: `repositories/<name>.json`.
extension StagingArea {
    /// What was written for a repository last; nil if nothing was.
    public func repositoryRecord(of name: String) async throws(StagingError) -> [UInt8]? {
        let path = recordPath(of: name)
        return try await onOwnThread { () throws(StagingError) in try SmallFile(path).read() }
    }

    func replaceRepositoryRecord(of name: String, with record: some Encodable & Sendable) throws(StagingError) {
        let path = recordPath(of: name)
        try SmallFile(path).replace(attempting(to: "encode", path) { try SnakeCaseJSON.encode(record) })
    }

    private func recordPath(of name: String) -> FilePath {
        repositories.appending("\(escapedPathComponent(name)).json")
    }
}

extension StagingLock {
    /// Writes what is remembered of a repository, or replaces it as a whole. On return it is on disk.
    public func writeRepositoryRecord(of name: String, _ record: some Encodable & Sendable) async throws(StagingError) {
        try await onOwnThread { () throws(StagingError) in
            try self.requireHeld()
            try self.area.replaceRepositoryRecord(of: name, with: record)
        }
    }
}
