import DumpCore
import Linux
import Logging

/// A snapshot that a batch is to have, and the dump that it is recorded for.
struct BatchMember: Sendable {
    var snapshot: any VolumeSnapshot
    var dump: String
}

/// A snapshot that is on record, and so may be there.
struct RecordedSnapshot: Sendable {
    var snapshot: any VolumeSnapshot
    var record: UndoRecord
}

extension RecordedSnapshot {
    /// Takes the snapshots of one batch. After a failure nothing is left of them.
    static func take(
        _ members: [BatchMember], in run: RunContext, by programs: SystemPrograms
    ) async -> Result<TakenBatch, DumpError> {
        var volumes: [RecordedSnapshot] = []
        do throws(DumpError) {
            for member in members {
                let record = try await run.journal.record(member.snapshot, of: member.dump)
                volumes.append(RecordedSnapshot(snapshot: member.snapshot, record: record))
            }
            StopPoint.passing("snapshot.recorded")
            let from = Timestamp.now
            try await volumes[0].snapshot.takeAll(
                of: volumes.map(\.snapshot), for: volumes[0].record.owner, by: programs)
            let to = Timestamp.now
            StopPoint.passing("snapshot.taken")
            for volume in volumes { try await volume.snapshot.secure(by: programs) }
            StopPoint.passing("snapshot.held")
            return .success(TakenBatch(volumes: volumes, from: from, to: to))
        } catch {
            await giveUp(volumes, in: run, by: programs)
            return .failure(error)
        }
    }

    /// Gives them up, the last one first. What cannot be undone stays on record, for the next run.
    static func giveUp(_ volumes: [RecordedSnapshot], in run: RunContext, by programs: SystemPrograms) async {
        // Also when the run is being cancelled: a task of its own is not.
        await Task {
            for volume in volumes.reversed() {
                do {
                    try await volume.giveUp(in: run, by: programs)
                    StopPoint.passing("snapshot.deleted")
                    try await run.journal.forget(volume.record)
                } catch {
                    run.log.error(
                        "cannot give up a snapshot: 'muster undo' or the next run will",
                        metadata: ["dump": "\(run.dump)", "snapshot": "\(volume.snapshot.name)", "error": "\(error)"])
                }
            }
        }.value
    }

    /// Throws while it is mounted somewhere: a process may be reading it.
    func giveUp(in run: RunContext, by programs: SystemPrograms) async throws(DumpError) {
        if let mark = snapshot.mark { try SnapshotMount.requireUnmounted(mark) }
        guard try await snapshot.delete(takenBy: record.owner, by: programs) == .foreign else { return }
        run.log.warning(
            "left alone what has the name of a snapshot of Muster and is not one",
            metadata: ["dump": "\(run.dump)", "snapshot": "\(snapshot.name)"])
    }
}
