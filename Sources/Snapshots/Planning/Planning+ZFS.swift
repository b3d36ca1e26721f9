import DumpCore
import Linux
import SystemPackage

extension Planning {
    /// The dataset that the path is in, and those that are mounted below it.
    func planZFS() async throws(DumpError) -> PlannedSnapshot {
        try requirePrograms(["zfs"])
        let dataset = survey.mount.source
        guard !dataset.contains("@") else {
            throw DumpError(
                .settings, "\(survey.path) is in a snapshot already, \(dataset)",
                hint: "Leave snapshot out: nothing changes there.")
        }
        let below = survey.mountsBelow.filter { $0.fileSystem == "zfs" && !$0.source.contains("@") }
        let included = settings.nested == .include ? below.filter { $0.root == "/" } : []
        let omitted = survey.mountsBelow.filter { !included.contains($0) }.map { mount in
            OmittedVolume(
                what: mount.fileSystem == "zfs"
                    ? "the dataset \(mount.source)" : "\(mount.fileSystem) of \(mount.source)",
                point: mount.point, isIncludable: below.contains(mount) && mount.root == "/")
        }
        var parts: [PlannedSnapshot.Part] = []
        for mount in [survey.mount] + included { parts.append(try await part(mount)) }
        return planned(
            .zfs, of: dataset, parts, inside: survey.pathInFileSystem, volumesBelow: survey.pointsBelow,
            findings: omitted.map(settings.nested.finding))
    }

    private func part(_ mount: MountTable.Mount) async throws(DumpError) -> PlannedSnapshot.Part {
        // The root of the first one's snapshot is mounted, whatever part of it is at the mount point.
        let place =
            mount == survey.mount
            ? "" : FilePath(survey.mount.root).relative(to: "/").pushing(mount.point.relative(to: survey.mount.point))
        let snapshot = DatasetSnapshot(
            dataset: mount.source, guid: try await DatasetSnapshot.guid(of: mount.source, by: programs), label: label)
        return PlannedSnapshot.Part(snapshot: snapshot, place: place)
    }
}
