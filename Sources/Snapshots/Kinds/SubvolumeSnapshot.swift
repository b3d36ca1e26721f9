import DumpCore
import Linux
import SystemPackage

/// A read-only snapshot of a Btrfs subvolume, in a directory at the top of the file system that only root may enter.
///
/// The subvolume may belong to a user, who can rename whatever is in it. So it is opened once, and the snapshot is made in a directory that
/// is open too. It is mounted and deleted by its number: no path is looked up that another user could change. Only root reaches what it
/// holds: files that were closed to a user since, programs that gave rights and were removed.
///
/// Btrfs has no place for its owner. It is ours if it has the name that the record says, with the run's id in it, and is read-only. It must
/// also be a snapshot of the subvolume that the record names, and no older than the state that we had seen before.
struct SubvolumeSnapshot: VolumeSnapshot {
    static let recordKind = "btrfs_snapshot"

    /// The subvolume, where we see it.
    var source: FilePath
    var sourceID: String
    /// The transaction that had last changed the subvolume. Unlike a time of day, it never goes back.
    var generation: UInt64
    /// The name of the snapshot, and of the directory that it is in. Hidden, as that may lie among the operator's own.
    var entry: String
    /// The UUID of the file system. Nil in the record of an older Muster, whose snapshots lay in their subvolumes.
    var fileSystemID: String?

    /// Where an operator who mounts the top of the file system finds it.
    var name: String { "\(entry)/\(entry)" }
    var batch: String { "btrfs \(sourceID)" }
    var mark: String? { entry }

    var recorded: [String: String] {
        var facts = [
            "source": source.string, "source_uuid": sourceID, "generation": "\(generation)", "snapshot": entry,
        ]
        facts["file_system_uuid"] = fileSystemID
        return facts
    }

    static func take(
        _ snapshots: [Self], for owner: ProcessIdentity, by programs: SystemPrograms
    ) async throws(DumpError) {
        for snapshot in snapshots {
            try await onOwnThread { () throws(DumpError) in try snapshot.take() }
        }
    }

    private func take() throws(DumpError) {
        let found = try BtrfsFileSystem(of: self)
        try calling("take a snapshot of \(source)") { () throws(Errno) in
            let subvolume = try OpenDirectory(source)
            guard try subvolume.status(of: "").isRootOfSubvolume, try subvolume.subvolume().id == sourceID else {
                throw Errno.staleNFSFileHandle
            }
            try subvolume.takeSnapshot(into: try found.top.createPrivateDirectory(directory), as: entry)
        }
    }

    /// Bytes are written out before the act, and names are taken in it. A file that was made meanwhile may be empty, unless the file system
    /// is mounted with `flushoncommit` (btrfs(5)).
    var isOfOneInstant: Bool { false }

    func mounting(by programs: SystemPrograms) async throws(DumpError) -> Mounting {
        let (number, device) = try await onOwnThread { () throws(DumpError) in
            let found = try BtrfsFileSystem(of: self)
            return (try numbers(on: found).ours.first, found.device)
        }
        guard let number else {
            throw DumpError(
                .snapshotLost, "the snapshot \(name) of \(source) is gone",
                hint: "Find out who deleted it, and run it again.")
        }
        return .byMount(arguments: ["-t", "btrfs", "-o", "\(Mounting.options),subvolid=\(number)", device])
    }

    func delete(takenBy owner: ProcessIdentity, by programs: SystemPrograms) async throws(DumpError) -> Deletion {
        try await onOwnThread { () throws(DumpError) in try delete() }
    }

    private func delete() throws(DumpError) -> Deletion {
        let found = try BtrfsFileSystem(of: self)
        let numbers = try numbers(on: found)
        return try calling("delete the snapshot \(name) of \(source)") { () throws(Errno) in
            for number in numbers.ours { try found.top.deleteSubvolume(number) }
            guard !numbers.hasOthers else { return .foreign }
            return try found.removeDirectory(directory) ? .done : .foreign
        }
    }

    private var directory: FilePath.Component { FilePath.Component(entry)! }

    /// What has the snapshot's name, wherever it is by now.
    private func numbers(on found: BtrfsFileSystem) throws(DumpError) -> (ours: [UInt64], hasOthers: Bool) {
        try calling("look for the snapshot \(name) of \(source)") { () throws(Errno) in
            let all = try found.top.subvolumes(called: entry)
            var ours: [UInt64] = []
            for number in all {
                let facts = try OpenDirectory(subvolume: number, ofBtrfsOn: found.device).subvolume()
                if facts.isReadOnly, facts.parentID == sourceID, facts.generationAtCreation >= generation {
                    ours.append(number)
                }
            }
            return (ours, ours.count < all.count)
        }
    }

    private func calling<Result>(
        _ act: String, _ work: () throws(Errno) -> Result
    ) throws(DumpError) -> Result {
        do {
            return try work()
        } catch .staleNFSFileHandle {
            throw DumpError(
                .sourceUnavailable, "\(source) is no longer the subvolume that it was when the run began",
                hint: "Find out who put another in its place, and run it again.", context: ["uuid": sourceID])
        } catch .fileExists {
            throw DumpError(
                .system, "cannot \(act): the file system has \(entry) at its top already",
                hint: "Mount its top (subvolid=5), see what it is, and remove it.")
        } catch {
            throw DumpError(.system, "cannot \(act): \(error)", underlying: error)
        }
    }
}

extension SubvolumeSnapshot {
    init(of record: UndoRecord) throws(DumpError) {
        source = FilePath(try record.fact("source"))
        sourceID = try record.fact("source_uuid")
        generation = UInt64(try record.fact("generation")) ?? .max
        entry = try record.fact("snapshot")
        fileSystemID = record.fact(ifAny: "file_system_uuid")
    }
}
