import DumpCore
import Linux
import SystemPackage

extension StagingArea {
    /// Writes down, before it happens, what a provider will have to undo. On return it is on disk. Needs no lock.
    public func recordUndo(_ record: UndoRecord) async throws(StagingError) {
        try await onOwnThread { () throws(StagingError) in try journal.write(Journal.Record(record)) }
    }

    /// Removes the record of what was undone. A second time does nothing.
    public func forgetUndo(_ record: UndoRecord) async throws(StagingError) {
        try await onOwnThread { () throws(StagingError) in try journal.remove(Journal.Record(record)) }
    }

    /// Removes what a crash left of records whose acts never began. Needs no lock.
    public func removeUnfinishedRecords() async throws(StagingError) {
        try await onOwnThread { () throws(StagingError) in try journal.removeUnfinished() }
    }

    /// What runs that died have left to be undone, or kept for a Borg outside of Muster, newest first. A live run undoes its own.
    public func undoRecords() async throws(StagingError) -> [UndoRecord] {
        try await allUndoRecords().filter { !$0.owner.isAlive }
    }

    /// The same with those of a run that lives.
    public func allUndoRecords() async throws(StagingError) -> [UndoRecord] {
        try await records().filter { $0.loss == nil }
    }

    /// What was undone although it was kept for a Borg outside of Muster, and was no longer whole: `muster release` reports it. Newest first.
    public func lostRecords() async throws(StagingError) -> [UndoRecord] {
        try await records().filter { $0.loss != nil }
    }

    private func records() async throws(StagingError) -> [UndoRecord] {
        try await onOwnThread { () throws(StagingError) in
            try journal.undoRecords().records.sorted { $0.isNewer(than: $1) }
        }
    }

    /// The file of a record.
    public func path(of record: UndoRecord) -> FilePath { journal.path(of: Journal.Record(record)) }

    /// Why other records cannot be read, each with the path of its file. Muster cannot undo what they describe.
    public func unreadableUndoRecords() async throws(StagingError) -> [StagingError] {
        try await onOwnThread { () throws(StagingError) in try journal.undoRecords().unreadable }
    }

    /// Keeps a record until `muster release` although nothing of it is left to undo.
    ///
    /// - Parameter loss: what was wrong with what it tells of.
    public func recordLoss(_ loss: String, of record: UndoRecord) async throws(StagingError) {
        var lost = record
        lost.loss = loss
        try await recordUndo(lost)
    }

    /// Has what a run has on record of some of its dumps stay until `muster release`.
    public func keepUndo(of run: RunID, dumps: Set<String>) async throws(StagingError) {
        for var record in try await allUndoRecords() where record.run == run && dumps.contains(record.dump) {
            record.isKept = true
            try await recordUndo(record)
        }
    }
}
