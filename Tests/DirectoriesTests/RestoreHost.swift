import Conformance
import DumpCore
import Linux
import SystemPackage
import TestSupport
import Testing

@testable import Directories

/// A tree, a dump of it, and what a restore needs of that.
struct RestoreHost: Sendable {
    let host: TreeHost
    let dump: TreeHost.Taken
    var journal: any UndoJournal = MemoryJournal()

    var target: FilePath { host.source.root }

    static func with(_ body: (inout RestoreHost) async throws -> Void) async throws {
        try await TreeHost.with { host in
            var restore = RestoreHost(host: host, dump: try await host.dump())
            try await body(&restore)
        }
    }

    var record: Manifest.DumpRecord {
        var record = dump.asPrevious.record
        record.provider = "directory"
        record.identity = Dictionary(uniqueKeysWithValues: dump.summary.identity.map { ($0.name, $0.value) })
        return record
    }

    func context() -> RunContext { TestRun(journal: journal).context }

    func prepared(
        _ placement: RestoreRequest.Placement, _ items: [String] = []
    ) async throws -> any PreparedRestore {
        var request = RestoreRequest()
        (request.placement, request.items) = (placement, items)
        return try await DirectoryRestorer().prepare(
            request, of: record, reading: FilesAtPath(directory: dump.directory), in: context())
    }

    /// Throws for a finding that keeps a restore from beginning.
    @discardableResult
    func restore(
        _ placement: RestoreRequest.Placement, _ items: [String] = [], from directory: FilePath? = nil
    ) async throws -> RestoreOutcome {
        let restore = try await prepared(placement, items)
        if let failure = restore.findings.first(where: { $0.severity == .failure }) {
            throw DumpError(.settings, "\(failure.code): \(failure.message)")
        }
        return try await restore.restore(from: directory ?? dump.directory, in: context())
    }

    /// What a restore has left of its work in the target's directory.
    func hiddenNames() throws -> [String] {
        try FileSystem.names(in: target.removingLastComponent()).map(\.string).filter { $0.contains(".restoring-") }
    }

    /// Every path of a tree with all that tells it from another state.
    func fingerprint(of root: FilePath) throws -> [String] {
        try FileTree(root).entries().map { "\($0.path) \($0.status.inode) \($0.status.modified) \($0.status.mode)" }
    }
}

/// A dump that lies in a directory.
struct FilesAtPath: DumpFiles {
    let directory: FilePath

    func contents(of path: FilePath, limit: Int64) async throws(DumpError) -> [UInt8] {
        do {
            return try FileSystem.bytes(of: directory.pushing(path), atMost: Int(limit))
        } catch {
            throw DumpError(.system, "\(error)")
        }
    }
}
