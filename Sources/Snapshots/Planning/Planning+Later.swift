import DumpCore
import Linux
import SystemPackage

extension Planning {
    /// Looks again, once the snapshot was taken. Throws if a volume begins below the path that did not when it was planned: the snapshot
    /// may have an empty directory in its place.
    ///
    /// - Parameters:
    ///   - known: where volumes begin, as was planned.
    ///   - tree: where the path is to be seen in the snapshot.
    func requireNoVolume(besides known: Set<FilePath>, in tree: FilePath) async throws(DumpError) {
        // What the operator's commands take is theirs to know, and who omits what is below omits also what comes.
        guard settings.commands == nil, settings.nested != .omit else { return }
        let now = try survey.again(runtime: round.runtime)
        for mount in now.mountsBelow where !known.contains(mount.point) {
            throw appeared("\(mount.fileSystem) of \(mount.source)", at: mount.point)
        }
        guard survey.mount.fileSystem == "btrfs" else { return }
        let later = Planning(round: round, survey: now, settings: settings, dump: dump, run: run)
        let subvolume = try await Subvolume.at(try later.subvolumePoint(), by: programs)
        for nested in try await later.subvolumesBelow(subvolume) where !known.contains(nested.point) {
            let place = tree.pushing(nested.point.relative(to: survey.path))
            guard try MountTable.isPlaceOfSubvolume(place) else { continue }
            throw appeared("the subvolume", at: nested.point)
        }
    }

    private func appeared(_ what: String, at point: FilePath) -> DumpError {
        DumpError(
            .volumeAppeared, "\(what) at \(point) appeared while the snapshot was being taken, and is not in it",
            hint: "Run it again: before it dumps anything, Muster says what to do about it.", isTransient: true)
    }
}

extension DumpErrorCode {
    /// A volume without a planned snapshot is below the path.
    public static let volumeAppeared = DumpError.Code(rawValue: "volume_appeared")
}
