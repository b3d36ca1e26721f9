import DumpCore
import SystemPackage

/// A snapshot that could be taken: the volumes under a dump's path were found, and nothing was changed.
public struct PlannedSnapshot: Sendable {
    /// What is known of it: `snapshot` (its kind), `volume`, `mount_point`.
    public var facts: ErrorContext
    /// What the operator should know, most severe first. One of severity `failure` means that it must not be taken.
    public var findings: [Finding]

    let planning: Planning
    let kind: SnapshotSettings.Kind
    /// Where it will be mounted.
    let directory: MountDirectory
    /// The volume of the path itself first, then what is in it.
    var parts: [Part]
    /// The path, relative to the root of its volume.
    let inside: FilePath
    /// Where volumes begin below the path, each of which is among the parts, or was found to be omitted.
    let volumesBelow: Set<FilePath>

    /// A snapshot, and where in the first one it belongs; empty for the first one itself.
    struct Part: Sendable {
        var snapshot: any VolumeSnapshot
        var place: FilePath
    }
}

extension PlannedSnapshot {
    /// Takes the snapshot, together with what other dumps need of the same act, and mounts it.
    ///
    /// Before the atomic act is only a look at the mount point: all else there is to find out was found out before. After a throw nothing is
    /// left, or is on record.
    public func take(in run: RunContext) async throws(DumpError) -> HeldSnapshot {
        try directory.requireVacant()
        let snapshots = parts.map(\.snapshot)
        let round = planning.round
        let taken = try await round.takeSnapshots(snapshots, in: run)
        let held = HeldSnapshot(
            point: directory.point, inside: inside, moment: moment(of: taken), missingVolumes: missingVolumes,
            snapshots: snapshots, round: round,
            run: run)
        do throws(DumpError) {
            for part in parts { try await held.mount(part, at: directory) }
            try await planning.requireNoVolume(besides: volumesBelow, in: held.tree)
        } catch {
            await held.release()
            throw error
        }
        return held
    }

    /// Exact when one act took all of it, bytes and names at one instant.
    private func moment(of taken: [TakenBatch]) -> Moment {
        let evidence = ["snapshot": kind.rawValue, "name": parts[0].snapshot.name]
        let from = taken.map(\.from).min()!
        let to = taken.map(\.to).max()!
        let isExact = Set(parts.map(\.snapshot.batch)).count == 1 && parts.allSatisfy(\.snapshot.isOfOneInstant)
        return Moment(isExact ? .exact : .window, from: from, to: to, evidence: evidence)
    }
}
