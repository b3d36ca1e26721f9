import DumpCore

extension SnapshotRound {
    /// Undoes what a run that died has left: a snapshot, the mount of one. May be called again.
    ///
    /// Only exactly what the record names, and only if it can be shown to be what the record's owner made. Nothing
    /// there is fine. What cannot be told, such as whether a snapshot is on a disk that is not there, throws, and the
    /// record stays. Later records go first, as mounts do before their snapshots.
    public func undo(_ record: UndoRecord, in run: RunContext) async throws(DumpError) {
        let facts = UndoFacts(record: record)
        let snapshot: any VolumeSnapshot
        switch record.kind {
        case SnapshotMount.recordKind: return try await SnapshotMount(facts: facts).undo(by: programs)
        case LogicalVolumeSnapshot.recordKind: snapshot = try LogicalVolumeSnapshot(facts: facts)
        case DatasetSnapshot.recordKind: snapshot = try DatasetSnapshot(facts: facts)
        case SubvolumeSnapshot.recordKind: snapshot = try SubvolumeSnapshot(facts: facts)
        case CommandSnapshot.recordKind: snapshot = try CommandSnapshot(facts: facts)
        default: throw DumpError(unknown: record)
        }
        try await RecordedSnapshot(snapshot: snapshot, record: record).giveUp(in: run, by: programs)
    }
}
