import DumpCore

extension SnapshotRound {
    private static let types: [any VolumeSnapshot.Type] = [
        LogicalVolumeSnapshot.self, DatasetSnapshot.self, SubvolumeSnapshot.self, CommandSnapshot.self,
    ]

    /// What it can have on record, as `UndoRecord.kind` calls it.
    public static let recordKinds = Set(types.map { $0.recordKind } + [SnapshotMount.recordKind])

    /// Undoes what a run that died has left: a snapshot, the mount of one. May be called again.
    ///
    /// Only exactly what the record names, and only if it can be shown to be what the record's owner made. Nothing
    /// there is fine. What cannot be found out, such as whether a snapshot is on a disk that is not there, throws, and the
    /// record stays. Later records go first, as mounts do before their snapshots.
    public func undo(_ record: UndoRecord, in run: RunContext) async throws(DumpError) {
        guard record.kind != SnapshotMount.recordKind else {
            return try await SnapshotMount(of: record).undo(by: programs)
        }
        try await RecordedSnapshot(snapshot: try snapshot(of: record), record: record).giveUp(in: run, by: programs)
    }

    /// Throws unless what a record tells of is still mounted, or still is all that it was when it was taken.
    public func confirm(_ record: UndoRecord) async throws(DumpError) {
        guard record.kind != SnapshotMount.recordKind else { return try SnapshotMount(of: record).confirm() }
        try await snapshot(of: record).confirm(by: programs)
    }

    private func snapshot(of record: UndoRecord) throws(DumpError) -> any VolumeSnapshot {
        guard let type = Self.types.first(where: { $0.recordKind == record.kind }) else {
            throw DumpError(unknown: record)
        }
        return try type.init(of: record)
    }
}
