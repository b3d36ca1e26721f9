import DumpCore
import Linux
import SystemPackage

/// A snapshot, mounted read-only at a dump's mount point or below it.
///
/// Its mark tells it apart from every other mount. The mark has the name of the snapshot in it, and is the source of the mount or the end
/// of its root.
struct SnapshotMount: UndoFacts {
    /// As `UndoRecord.kind` calls it.
    static let recordKind = "snapshot_mount"
    var kind: String { Self.recordKind }

    var point: FilePath
    var mark: String
    /// Whether the point is a directory of its own, and not one of the snapshot that is mounted there already.
    var hasDirectory: Bool

    var recorded: [String: String] {
        ["mount_point": point.string, "mark": mark, "directory": "\(hasDirectory)"]
    }

    /// Mounts it. The caller has recorded it.
    ///
    /// - Parameter arguments: of mount(8), before the mount point.
    func make(_ arguments: [String], by programs: SystemPrograms) async throws(DumpError) {
        if hasDirectory { try MountDirectory(point).create() }
        try await programs.run("mount", arguments + [point.string])
        try confirm()
    }

    /// Throws unless it is there, and what it shows too.
    func confirm() throws(DumpError) {
        guard let mount = try Self.table().mount(at: point), isOurs(mount), !mount.isDeleted else {
            throw DumpError(
                .snapshotLost, "the snapshot is no longer mounted at \(point)",
                hint: "Find out who unmounted or deleted it, and run it again.", context: ["snapshot": mark])
        }
    }

    /// Unmounts it if it is there. Nothing there is fine, and so is a mount that is not ours.
    func undo(by programs: SystemPrograms) async throws(DumpError) {
        while let mount = try Self.table().mount(at: point), isOurs(mount) {
            try await unmount(by: programs)
        }
        let others = try Self.table().mounts.filter { $0.point == point }
        guard !others.contains(where: isOurs) else {
            throw DumpError(
                .system, "something else was mounted over the snapshot at \(point)",
                hint: "Unmount it and run 'muster undo'.")
        }
        if hasDirectory, others.isEmpty { try MountDirectory(point).remove() }
    }

    /// Tries it for a second: a program that is just being started still has all that its parent had open.
    private func unmount(by programs: SystemPrograms) async throws(DumpError) {
        var outcome = try await programs.outcome("umount", [point.string])
        for _ in 1...10 where !outcome.succeeded {
            // Cut short, it is only tried sooner.
            try? await Task.sleep(for: .milliseconds(100))
            outcome = try await programs.outcome("umount", [point.string])
        }
        guard outcome.succeeded else {
            throw DumpError(
                outcome, of: ["umount", point.string], hint: "Find out who still uses it: fuser -vm \(point)")
        }
    }

    private func isOurs(_ mount: MountTable.Mount) -> Bool { Self.isMarked(mount, by: mark) }

    private static func isMarked(_ mount: MountTable.Mount, by mark: String) -> Bool {
        mount.source == mark || mount.livingRoot.hasSuffix("/" + mark)
    }

    /// Throws if what has this mark is mounted anywhere.
    ///
    /// ZFS mounts a snapshot below `.zfs/snapshot` for every process that looks there, and unmounts it by itself when it goes.
    static func requireUnmounted(_ mark: String) throws(DumpError) {
        let mounts = try table().mounts.filter { !$0.point.string.contains("/.zfs/snapshot/") }
        guard let mount = mounts.first(where: { isMarked($0, by: mark) }) else { return }
        throw DumpError(
            .system, "the snapshot is still mounted at \(mount.point)",
            hint: "Find out who uses it: fuser -vm \(mount.point), unmount it, and run 'muster undo'.",
            context: ["snapshot": mark])
    }

    private static func table() throws(DumpError) -> MountTable {
        do {
            return try MountTable.current()
        } catch {
            throw DumpError(.system, "cannot read /proc/self/mountinfo: \(error)", underlying: error)
        }
    }
}

extension SnapshotMount {
    init(of record: UndoRecord) throws(DumpError) {
        point = FilePath(try record.fact("mount_point"))
        mark = try record.fact("mark")
        hasDirectory = try record.fact("directory") == "true"
    }
}

extension MountTable.Mount {
    private static let deletion = "//deleted"

    /// Whether what is mounted was deleted since.
    fileprivate var isDeleted: Bool { root.hasSuffix(Self.deletion) }

    fileprivate var livingRoot: String { isDeleted ? String(root.dropLast(Self.deletion.count)) : root }
}
