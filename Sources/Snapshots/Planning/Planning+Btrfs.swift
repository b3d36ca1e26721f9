import DumpCore
import Linux
import SystemPackage

extension Planning {
    /// The subvolume that the path is in, and those that begin below it.
    func planBtrfs() async throws(DumpError) -> PlannedSnapshot {
        try requirePrograms(["btrfs"])
        let subvolume = try await Subvolume.at(try subvolumePoint(), by: programs)
        guard !subvolume.isReadOnly else {
            throw DumpError(
                .settings, "the subvolume \(subvolume.point) is read-only and cannot hold a snapshot",
                hint: "Leave snapshot out: nothing changes there.")
        }
        let nested = try await subvolumesBelow(subvolume)
        let included = settings.nested == .include ? nested.filter { !$0.isReadOnly } : []
        let omitted =
            nested.filter { !included.contains($0) }
            .map { OmittedVolume(what: "the subvolume", point: $0.point, isIncludable: !$0.isReadOnly) }
            + survey.mountsBelow.filter { mount in !nested.contains { $0.point == mount.point } }
            .map { OmittedVolume(what: "\($0.fileSystem) of \($0.source)", point: $0.point, isIncludable: false) }
        if let nameless = ([subvolume] + included).first(where: { $0.id == Subvolume.noID }) {
            throw DumpError(
                .settings,
                "the subvolume \(nameless.point) has no UUID, by which Muster could recognize its snapshot",
                hint: "It is the top of a file system of before 2018. Make a subvolume and move what is dumped there.")
        }
        // Opened here, so that obstacles are reported before anything is dumped.
        let fileSystemID = try BtrfsFileSystem(on: survey.mount).id
        return planned(
            .btrfs, of: subvolume.point.string,
            ([subvolume] + included).map { part($0, in: subvolume, on: fileSystemID) },
            inside: survey.path(below: subvolume.point),
            volumesBelow: survey.pointsBelow.union(nested.map(\.point)),
            findings: omitted.map(settings.nested.finding))
    }

    private func part(
        _ volume: Subvolume, in first: Subvolume, on fileSystemID: String
    ) -> PlannedSnapshot.Part {
        let snapshot = SubvolumeSnapshot(
            source: volume.point, sourceID: volume.id, generation: volume.generation,
            // A mount of it is known by this name, so no other subvolume's snapshot may have it.
            entry: ".\(label)-\(volume.id.prefix(8))", fileSystemID: fileSystemID)
        return PlannedSnapshot.Part(snapshot: snapshot, place: volume.point.relative(to: first.point))
    }

    /// The innermost subvolume that has the path.
    func subvolumePoint() throws(DumpError) -> FilePath {
        var point = survey.path
        while try !MountTable.isSubvolume(point) {
            guard point != survey.mount.point else {
                throw DumpError(
                    .settings, "at \(point) only a part of a Btrfs subvolume is mounted",
                    hint: "Name the path where all of its subvolume is mounted: no snapshot can be taken from here.")
            }
            point.removeLastComponent()
        }
        return point
    }

    /// Whether they are in the subvolume or were mounted there, outer ones first. Our snapshots do not belong to the
    /// operator's files.
    func subvolumesBelow(_ subvolume: Subvolume) async throws(DumpError) -> [Subvolume] {
        var found = try await subvolume.nested(below: survey.path, by: programs)
        for mount in survey.mountsBelow where mount.fileSystem == "btrfs" {
            guard try MountTable.isSubvolume(mount.point) else { continue }
            let mounted = try await Subvolume.at(mount.point, by: programs)
            found.append(mounted)
            found += try await mounted.nested(below: survey.path, by: programs)
        }
        var seen: Set<FilePath> = []
        return found.filter { !$0.isOwnSnapshot && seen.insert($0.point).inserted }
            .sorted { $0.point.components.count < $1.point.components.count }
    }
}
