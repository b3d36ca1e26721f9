import DumpCore
import Linux
import SystemPackage

/// A snapshot of a logical volume, thin or classic. Its owner stands in a tag of it.
///
/// Device mapper freezes the file system on the volume for it, lvmthin(7), so that what it holds needs no repair.
struct LogicalVolumeSnapshot: VolumeSnapshot {
    static let recordKind = "lvm_snapshot"

    var group: String
    /// Names may be given to another volume group.
    var groupID: String
    var origin: String
    /// The name of the snapshot within the group.
    var volume: String
    var isThin: Bool
    /// The size of a classic one.
    var size: SnapshotSize
    /// The file system on it, such as `xfs`.
    var fileSystem: String

    var name: String { "\(group)/\(volume)" }
    var batch: String { "lvm \(groupID) \(volume)" }

    var recorded: [String: String] {
        [
            "volume_group": group, "volume_group_uuid": groupID, "origin": origin, "snapshot": volume,
            "thin": "\(isThin)", "size": size.description, "file_system": fileSystem,
        ]
    }

    static func take(
        _ snapshots: [Self], for owner: ProcessIdentity, by programs: SystemPrograms
    ) async throws(DumpError) {
        for snapshot in snapshots { try await snapshot.take(for: owner, by: programs) }
    }

    /// Writable, or a file system with orphaned files or a log could not be mounted, not even read-only.
    private func take(for owner: ProcessIdentity, by programs: SystemPrograms) async throws(DumpError) {
        let room = isThin ? [] : size.arguments
        try await programs.run(
            "lvcreate",
            ["--snapshot", "--permission", "rw"] + room
                + ["--addtag", Self.tag(owner), "--name", volume, "\(group)/\(origin)"])
    }

    /// Thin snapshots are not activated by themselves, so that none that was left behind is after a start of the
    /// system.
    func secure(by programs: SystemPrograms) async throws(DumpError) {
        guard isThin else { return }
        try await programs.run("lvchange", ["--activate", "y", "--ignoreactivationskip", name])
    }

    /// XFS has the same UUID on the snapshot as on its origin, and refuses the second.
    func mounting(by programs: SystemPrograms) -> Mounting {
        let options = fileSystem == "xfs" ? Mounting.options + ",nouuid" : Mounting.options
        return .byMount(arguments: ["-t", fileSystem, "-o", options, device])
    }

    var mark: String? { device }

    /// As mount(8) shows it in the table of mounts; device mapper doubles the dashes within names.
    private var device: String {
        "/dev/mapper/" + [group, volume].map { $0.replacing("-", with: "--") }.joined(separator: "-")
    }

    /// Device mapper's names have 127 letters at most, and a classic snapshot has a second device, with `-cow` at its
    /// end.
    var isNameable: Bool { device.utf8.count - "/dev/mapper/".utf8.count + "-cow".utf8.count <= 127 }

    /// A classic snapshot that overflowed is no longer there, whatever could still be read from it.
    func confirm(by programs: SystemPrograms) async throws(DumpError) {
        let volumes = try await LogicalVolume.all(inGroup: groupID, by: programs)
        guard let snapshot = volumes.first(where: { $0.name == volume }) else {
            throw DumpError(
                .snapshotLost, "the snapshot \(name) went away while it was being read",
                hint: "Find out who removed it, and run it again.")
        }
        if !isThin, snapshot.overflowed {
            throw DumpError(
                .snapshotLost, "the snapshot \(name) overflowed while it was being read: it held \(size)",
                hint: "Give it more room, such as snapshot: {lvm: {size: 20%ORIGIN}}, or dump at a quieter time.",
                context: snapshot.facts)
        }
        let pool = volumes.first { $0.name == snapshot.pool }
        guard snapshot.isSound, pool?.isHealthy ?? true else {
            throw DumpError(
                .snapshotLost, "LVM no longer vouches for the snapshot \(name)",
                hint: "See 'lvs -a -o +lv_health_status \(group)': the pool may be full, or a disk be missing.",
                context: snapshot.facts)
        }
    }

    func delete(takenBy owner: ProcessIdentity, by programs: SystemPrograms) async throws(DumpError) -> Deletion {
        let volumes = try await LogicalVolume.all(inGroup: groupID, by: programs)
        if volumes.isEmpty, try await !LogicalVolume.isEmpty(group: groupID, by: programs) {
            throw DumpError(
                .sourceUnavailable, "the volume group \(group), which had the snapshot \(name), is not there",
                hint: "Attach its disks and run 'muster undo'.")
        }
        guard let snapshot = volumes.first(where: { $0.name == volume }) else { return .done }
        guard snapshot.tags.contains(Self.tag(owner)) else { return .foreign }
        // The group may have been given another name since.
        try await programs.run("lvremove", ["--yes", "\(snapshot.group)/\(volume)"])
        return .done
    }

    private static func tag(_ owner: ProcessIdentity) -> String { "muster.owner=\(owner.mark)" }
}

extension LogicalVolumeSnapshot {
    init(of record: UndoRecord) throws(DumpError) {
        group = try record.fact("volume_group")
        groupID = try record.fact("volume_group_uuid")
        origin = try record.fact("origin")
        volume = try record.fact("snapshot")
        isThin = try record.fact("thin") == "true"
        size = SnapshotSize(try record.fact("size")) ?? .standard
        fileSystem = try record.fact("file_system")
    }
}
