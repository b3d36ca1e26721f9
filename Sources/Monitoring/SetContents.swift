import DumpCore
import Jobs
import Linux
import Staging
import SystemPackage

/// What is in the current set of a job: its manifest, and how large the dump of each database is.
public struct SetContents: Sendable {
    public var manifest: Manifest
    /// By dump and database, in bytes. None for databases that share a file.
    public var databaseBytes: [String: [String: Int64]] = [:]

    public init(_ manifest: Manifest) { self.manifest = manifest }

    /// Nil if the job has no set. The files are listed, and none is read.
    public static func current(of job: Job) async throws -> SetContents? {
        guard let area = try await StagingArea.openExisting(job.staging),
            let manifest = try await area.currentManifest()
        else { return nil }
        var contents = SetContents(manifest)
        contents.databaseBytes = await onOwnThread {
            let sizes = manifest.dumps.map { ($0.name, bytes(of: $0.databases, in: area.current.appending($0.path))) }
            return Dictionary(sizes) { first, _ in first }
        }
        return contents
    }

    private static func bytes(of databases: [DatabaseContents], in dump: FilePath) -> [String: Int64] {
        let uses = Dictionary(databases.map { ($0.path, 1) }, uniquingKeysWith: +)
        let alone = databases.filter { uses[$0.path] == 1 }
        return Dictionary(alone.map { ($0.name, FileTree(dump.appending($0.path)).bytes()) }) { first, _ in first }
    }
}
