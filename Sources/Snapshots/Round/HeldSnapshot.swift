import DumpCore
import Linux
import Logging
import Synchronization
import SystemPackage

/// A snapshot that was taken and is mounted, read-only.
public final class HeldSnapshot: Sendable {
    /// Where the dump's path is to be read, below the mount point, which is the same in every run.
    public var tree: FilePath { point.pushing(inside) }
    /// From just before to just after the atomic act. `exact`, or a `window` with Btrfs, and when the tree is on several volumes that
    /// cannot be taken at once. Its evidence: `snapshot`, the kind, and `name`.
    public let moment: Moment
    /// What to look for while the tree is read; nil where a snapshot cannot lack what was below its path.
    public let missingVolumes: MissingVolumes?

    private let point: FilePath
    /// The dump's path, relative to the root of its volume.
    private let inside: FilePath
    private let snapshots: [any VolumeSnapshot]
    private let round: SnapshotRound
    private let run: RunContext
    /// In the order in which they were made; nil once they are being undone.
    private let mounts = Mutex<[RecordedMount]?>([])

    private struct RecordedMount: Sendable {
        var mount: SnapshotMount
        var record: UndoRecord
    }

    init(
        point: FilePath, inside: FilePath, moment: Moment, missingVolumes: MissingVolumes?,
        snapshots: [any VolumeSnapshot],
        round: SnapshotRound, run: RunContext
    ) {
        self.point = point
        self.inside = inside
        self.moment = moment
        self.missingVolumes = missingVolumes
        self.snapshots = snapshots
        self.round = round
        self.run = run
    }

    /// The tree, opened. A link that came into its place, or above it, before the snapshot was taken would lead out of that: it is not followed.
    public func openTree() throws(DumpError) -> OpenDirectory {
        do {
            let root = try OpenDirectory(point)
            return inside.isEmpty ? root : try root.openDirectory(inside)
        } catch {
            throw DumpError(
                .sourceUnavailable, "cannot open \(tree), in the snapshot: \(error)",
                hint:
                    "Something else was put in the place of the directory before the snapshot was taken. Run it again.",
                underlying: error)
        }
    }

    /// To be called once all of the tree was read, before release. Throws when the snapshot overflowed or went away
    /// meanwhile: what was read then is worth nothing.
    public func confirm() async throws(DumpError) {
        for mounted in mounts.withLock({ $0 ?? [] }) { try mounted.mount.confirm() }
        for snapshot in snapshots { try await snapshot.confirm(by: round.programs) }
        do throws(Errno) {
            _ = try FileSystem.status(of: tree)
        } catch {
            throw DumpError(.snapshotLost, "cannot look at \(tree), in the snapshot: \(error)", underlying: error)
        }
    }

    /// Unmounts the snapshot, and gives it up when no other dump uses it. A second call does nothing. What could not be
    /// undone stays on record and is logged.
    public func release() async {
        guard let mounts = mounts.withLock({ $0.take() }) else { return }
        let isUnmounted = await unmount(mounts)
        await round.leave(snapshots, by: run, stillMounted: !isUnmounted)
    }

    func mount(_ part: PlannedSnapshot.Part, at directory: MountDirectory) async throws(DumpError) {
        switch try await part.snapshot.mounting(by: round.programs) {
        case .byMount(let arguments):
            if !part.place.isEmpty { try requireDirectory(part.place, in: directory.point) }
            let mount = SnapshotMount(
                point: directory.point.pushing(part.place), mark: part.snapshot.mark ?? "",
                hasDirectory: part.place.isEmpty)
            let record = try await run.journal.record(mount, of: run.dump)
            mounts.withLock { $0?.append(RecordedMount(mount: mount, record: record)) }
            StopPoint.passing("mount.recorded")
            try await mount.make(arguments, by: round.programs)
        case .byCommand(let command, let deadline, let environment):
            // On record together with the snapshot, whose release undoes it.
            try directory.create()
            try await round.programs.run(
                command, for: "the command that mounts the snapshot", within: deadline, environment: environment)
        }
        StopPoint.passing("mount.made")
    }

    /// That mount(8) meets no symbolic link on its way into the first part, which changes no more.
    private func requireDirectory(_ place: FilePath, in point: FilePath) throws(DumpError) {
        do {
            guard try OpenDirectory(point).status(of: place).kind == .directory else { throw Errno.notDirectory }
        } catch {
            throw DumpError(
                .snapshotLost, "the snapshot has no directory at \(place), where a part of it belongs: \(error)",
                hint: "Something else was put in its place while the run began. Run it again.", underlying: error)
        }
    }

    /// The last one first. False when one could not be: then what is below it cannot be either.
    private func unmount(_ mounts: [RecordedMount]) async -> Bool {
        let (run, programs) = (run, round.programs)
        // Also when the run is being cancelled: a task of its own is not.
        return await Task {
            for mounted in mounts.reversed() {
                do {
                    try await mounted.mount.undo(by: programs)
                    StopPoint.passing("mount.undone")
                    try await run.journal.forget(mounted.record)
                } catch {
                    run.log.error(
                        "cannot unmount a snapshot: 'muster undo' or the next run will",
                        metadata: ["dump": "\(run.dump)", "path": "\(mounted.mount.point)", "error": "\(error)"])
                    return false
                }
            }
            return true
        }.value
    }
}
