import DumpCore

extension SnapshotRound {
    /// Undoes what a run that died has left: a snapshot, the mount of one. May be called again.
    ///
    /// Only exactly what the record names, and only if it can be shown to be what the record's owner made. Nothing
    /// there is fine. What cannot be told, such as whether a snapshot is on a disk that is not there, throws, and the
    /// record stays. Later records go first, as mounts do before their snapshots.
    public func undo(_ record: UndoRecord, in run: RunContext) async throws(DumpError) {
        let facts = UndoFacts(record: record)
        guard record.kind != SnapshotMount.recordKind else {
            return try await SnapshotMount(facts: facts).undo(by: programs)
        }
        try await RecordedSnapshot(snapshot: try snapshot(of: facts), record: record).giveUp(in: run, by: programs)
    }

    /// Throws unless what a record tells of is still mounted, or still is all that it was when it was taken.
    public func confirm(_ record: UndoRecord) async throws(DumpError) {
        let facts = UndoFacts(record: record)
        guard record.kind != SnapshotMount.recordKind else { return try SnapshotMount(facts: facts).confirm() }
        try await snapshot(of: facts).confirm(by: programs)
    }

    private func snapshot(of facts: UndoFacts) throws(DumpError) -> any VolumeSnapshot {
        switch facts.record.kind {
        case LogicalVolumeSnapshot.recordKind: try LogicalVolumeSnapshot(facts: facts)
        case DatasetSnapshot.recordKind: try DatasetSnapshot(facts: facts)
        case SubvolumeSnapshot.recordKind: try SubvolumeSnapshot(facts: facts)
        case CommandSnapshot.recordKind: try CommandSnapshot(facts: facts)
        default: throw DumpError(unknown: facts.record)
        }
    }
}
