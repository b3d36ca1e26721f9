import Documents
import DumpCore
import Glibc
import Linux
import SystemPackage

/// What receivers of notices have been told, `incidents.json`. What it holds is for its writer to know.
extension StagingArea {
    public var incidentsFile: FilePath { root.appending("incidents.json") }

    /// Has `change` make what is to be kept of what is kept now, and replaces the file as a whole. Other processes wait meanwhile.
    ///
    /// Needs no lock: a run that did not get it tells of that too. On return the file is on disk.
    ///
    /// - Parameter change: is given nil if nothing is kept. Returns nil to leave the file as it is.
    public func changeIncidents<Result: Sendable>(
        _ change: @escaping @Sendable ([UInt8]?) -> (kept: (any Encodable & Sendable)?, result: Result)
    ) async throws(StagingError) -> Result {
        let area = self
        return try await onOwnThread { () throws(StagingError) in
            let turn = try area.turnOfIncidents()
            // Closing gives it up.
            defer { try? turn.close() }
            let file = SmallFile(area.incidentsFile)
            let (kept, result) = change(try file.read(longest: 1 << 20))
            if let kept {
                try file.replace(attempting(to: "encode", file.path) { try SnakeCaseJSON.encode(kept) })
            }
            return result
        }
    }

    /// The file itself is replaced, and cannot be what is locked.
    private func turnOfIncidents() throws(StagingError) -> FileDescriptor {
        try attempting(to: "lock", runs) {
            let directory = try FileDescriptor.open(runs, .readOnly, options: [.directory, .noFollow, .closeOnExec])
            while flock(directory.rawValue, LOCK_EX) != 0 {
                guard errno == EINTR else {
                    let failure = Errno(rawValue: errno)
                    try? directory.close()
                    throw failure
                }
            }
            return directory
        }
    }
}
