import DumpCore
import Linux

extension StagingArea {
    /// Writes down, before it happens, what a provider will have to undo. On return it is on disk. Needs no lock.
    public func recordUndo(_ record: UndoRecord) async throws(StagingError) {
        try await onOwnThread { () throws(StagingError) in try journal.write(Journal.Record(record)) }
    }

    /// Removes the record of what was undone. A second time does nothing.
    public func forgetUndo(_ record: UndoRecord) async throws(StagingError) {
        try await onOwnThread { () throws(StagingError) in try journal.remove(Journal.Record(record)) }
    }

    /// What runs that died have left to be undone, newest first. Whoever lives undoes its own.
    public func undoRecords() async throws(StagingError) -> [UndoRecord] {
        try await onOwnThread { () throws(StagingError) in
            try journal.records().compactMap(\.undo).filter { !$0.owner.isAlive }.sorted { $0.at > $1.at }
        }
    }
}
