import DumpCore
import Linux
import SystemPackage

extension Planning {
    /// The logical volume that is mounted, if it is one.
    func planLVM() async throws(DumpError) -> PlannedSnapshot {
        try requirePrograms(["lvs", "vgs", "lvcreate", "lvchange", "lvremove"])
        let volumes = try await LogicalVolume.all(by: programs)
        guard let origin = volumes.first(where: { $0.device == survey.mount.device }) else { throw unsuitable() }
        guard !origin.isClassicSnapshot else {
            throw DumpError(
                .settings,
                "\(origin.group)/\(origin.name) is a snapshot itself, and LVM takes no snapshot of a snapshot",
                hint: "Name a path on the volume \(origin.origin), or leave snapshot out.")
        }
        let snapshot = LogicalVolumeSnapshot(
            group: origin.group, groupID: origin.groupID, origin: origin.name, volume: "\(label)-\(origin.name)",
            isThin: origin.isThin, size: settings.size, fileSystem: survey.mount.fileSystem)
        guard snapshot.isNameable else {
            throw DumpError(
                .settings, "the name of the snapshot \(snapshot.name) is longer than device mapper allows",
                hint: "Give the job a shorter name.")
        }
        let omitted = survey.mountsBelow.map { mount in
            OmittedVolume(what: "\(mount.fileSystem) of \(mount.source)", point: mount.point, isIncludable: false)
        }
        let room = [origin.isThin ? poolFinding(of: origin, among: volumes) : groupFinding(of: origin)]
        return planned(
            .lvm, of: "\(origin.group)/\(origin.name)", [PlannedSnapshot.Part(snapshot: snapshot, place: "")],
            inside: survey.pathInFileSystem, volumesBelow: survey.pointsBelow,
            facts: ["snapshot_size": origin.isThin ? "thin" : settings.size.description],
            findings: room.compactMap { $0 } + omitted.map(settings.nested.finding))
    }

    /// Whether a classic snapshot has room in the group.
    private func groupFinding(of origin: LogicalVolume) -> Finding? {
        let needed = settings.size.bytes(ofOrigin: origin.bytes) ?? 1
        guard origin.freeBytesOfGroup < needed else { return nil }
        return Finding(
            .failure, "no_room_for_snapshot", object: "\(origin.group)/\(origin.name)",
            "the volume group \(origin.group) has \(formatBytes(origin.freeBytesOfGroup)) left for a snapshot of \(settings.size)",
            hint: "Extend the volume group, or write a smaller size: snapshot: {lvm: {size: 1G}}.")
    }

    /// Whether a thin pool can take what will be written while the snapshot is there.
    private func poolFinding(of origin: LogicalVolume, among volumes: [LogicalVolume]) -> Finding? {
        let pool = volumes.first { $0.groupID == origin.groupID && $0.name == origin.pool }
        guard let pool, let percent = pool.percent, percent >= 95 || !pool.isHealthy else { return nil }
        return Finding(
            .warning, "thin_pool_nearly_full", object: "\(pool.group)/\(pool.name)",
            "the thin pool \(pool.group)/\(pool.name) is full to \(percent) %",
            hint: "Extend it: when it is full, nothing can write to the volume, with or without a snapshot.")
    }
}
