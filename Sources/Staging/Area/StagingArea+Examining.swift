import DumpCore
import Glibc
import Linux
import SystemPackage

/// What a run would find in its staging area.
public struct ExaminedStaging: Sendable {
    /// What the next set will take, and what is free on the file system.
    public var expectedBytes: Int64
    public var freeBytes: Int64
    /// What would keep a run from staging that much, and what else there is to say.
    public var findings: [Finding]
}

extension StagingArea {
    /// Looks at the staging area that is or would be at `root`, and proves that files can be made there: one is written and removed. Nothing
    /// else is made or changed.
    ///
    /// - Parameters:
    ///   - estimates: bytes of each dump, by name.
    ///   - users: as `exposure` takes them.
    public static func examine(
        _ root: FilePath, estimates: [String: Int64], handedTo users: [String]
    ) async throws(StagingError) -> ExaminedStaging {
        let exposure = try await exposure(of: root, toAllBut: users).map { [$0] } ?? []
        if let area = try await openExisting(root) {
            let expected = try await area.expectedBytes(estimates: estimates)
            let isNew = try await area.currentSet() == nil
            let use = try await area.use(forARun: true).map { Finding($0, about: root.string) }
            return try await area.examined(
                root, expecting: expected,
                exposure + (use.map { [$0] } ?? []) + area.notUndone() + (isNew ? [noSetYet(root)] : []))
        }
        let parent = StagingArea(root: root.removingLastComponent())
        let isThere = try await onOwnThread { () throws(StagingError) in try parent.exists(parent.root) }
        guard isThere else {
            throw StagingError(
                .unsuitableDirectory, "staging directory \(root) cannot be created: \(parent.root) does not exist",
                hint: "Create \(parent.root), or mount the file system that it should be on.")
        }
        return try await parent.examined(root, expecting: estimates.values.reduce(0, +), exposure + [noSetYet(root)])
    }

    /// What dead runs have changed outside and not undone. What is kept for Borg is as it should be.
    private func notUndone() async throws(StagingError) -> [Finding] {
        try await undoRecords().filter { $0.isKept != true }.map { record in
            Finding(
                .warning, "not_undone", object: record.dump,
                "run \(record.run) has left \(record.kind) of dump '\(record.dump)', which is not undone",
                hint: "The next run tries again. To see why it fails: muster undo.")
        }
    }

    /// - Parameter root: of the area, which may still have to be made in this directory.
    private func examined(
        _ root: FilePath, expecting expected: Int64, _ findings: [Finding]
    ) async throws(StagingError) -> ExaminedStaging {
        var findings = findings
        let area = self
        try await onOwnThread { () throws(StagingError) in try area.proveWritable() }
        do {
            try await requireSpace(for: expected)
        } catch  where error.code == .noSpace {
            findings.insert(Finding(error, about: root.string), at: 0)
        }
        return ExaminedStaging(expectedBytes: expected, freeBytes: try await freeBytes(), findings: findings)
    }

    /// Writes a file, flushes it and removes it again: permissions, a full disk, a quota and a read-only file system all show.
    private func proveWritable() throws(StagingError) {
        let probe = root.appending(".muster-check-\(getpid())")
        try attempting(to: "write to", root, needed: 4096) {
            let file = try FileSystem.createFile(probe)
            // After a failure the failure says more.
            defer { try? FileSystem.removeFile(probe) }
            _ = try file.closeAfter { try file.writeAll([UInt8](repeating: 0, count: 4096)) }
            try FileSystem.flush(probe)
        }
    }

    /// Who holds the lock of the area now, in words; nil if it is free.
    public func lockHolder() async throws(StagingError) -> String? { try await use(forARun: false)?.message }

    /// What another process that uses the area says by its lock; nil if none does.
    ///
    /// - Parameter isForARun: whether readers count too. They keep a run out.
    private func use(forARun isForARun: Bool) async throws(StagingError) -> StagingError? {
        let area = self
        return try await onOwnThread { () throws(StagingError) in
            // Without a name in it: one who reads stays named there.
            do throws(StagingError) {
                guard let file = try LockFile(area.lockFile, isForARun ? .exclusive : .shared) else {
                    return try area.lockedByAnother()
                }
                file.release()
                return nil
            } catch  where error.underlying as? Errno == .readOnlyFileSystem {
                // A run has more to say about that.
                return nil
            }
        }
    }

    private static func noSetYet(_ root: FilePath) -> Finding {
        Finding(.note, "no_set_yet", object: root.string, "no set has been published yet")
    }
}
