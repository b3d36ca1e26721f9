import DumpCore
import Linux
import Staging
import SystemPackage

/// The journal of a job's staging area, also for dumps by hand, whose own area is gone with them.
struct AreaJournal: UndoJournal {
    let run: RunID
    let staging: FilePath

    func record(_ facts: any UndoFacts, of dump: String) async throws(DumpError) -> UndoRecord {
        let record = UndoRecord(run: run, dump: dump, facts, owner: .current)
        try await write(record) { area throws(StagingError) in try await area.recordUndo(record) }
        return record
    }

    func forget(_ record: UndoRecord) async throws(DumpError) {
        try await write(record) { area throws(StagingError) in try await area.forgetUndo(record) }
    }

    private func write(
        _ record: UndoRecord, _ body: (StagingArea) async throws(StagingError) -> Void
    ) async throws(DumpError) {
        do throws(StagingError) {
            try await body(try await StagingArea.open(staging))
        } catch {
            throw DumpError(
                .system, "cannot write the undo journal for \(record.kind): \(error.message)", hint: error.hint,
                context: error.context, underlying: error)
        }
    }
}
