import DumpCore
import Linux
import Logging
import Synchronization
import SystemPackage

/// A snapshot that was taken and is mounted, read-only.
public final class HeldSnapshot: Sendable {
    /// Where the dump's path is to be read, below the mount point, which is the same in every run.
    public let tree: FilePath
    /// From just before to just after the atomic act. `exact`, or a `window` with Btrfs, and when the tree lies on several volumes that
    /// cannot be taken at once. Its evidence: `snapshot`, the kind, and `name`.
    public let moment: Moment
    /// What to look for while the tree is read; nil where a snapshot cannot lack what was below its path.
    public let missingVolumes: MissingVolumes?

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
        tree: FilePath, moment: Moment, missingVolumes: MissingVolumes?, snapshots: [any VolumeSnapshot],
        round: SnapshotRound, run: RunContext
    ) {
        self.tree = tree
        self.moment = moment
        self.missingVolumes = missingVolumes
        self.snapshots = snapshots
        self.round = round
        self.run = run
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
        switch part.snapshot.mounting {
        case .byMount(let arguments, let mark):
            let mount = SnapshotMount(
                point: directory.point.pushing(part.place), mark: mark, hasDirectory: part.place.isEmpty)
            let record = try await run.journal.record(
                SnapshotMount.recordKind, of: run.dump, facts: mount.facts)
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
