import DumpCore
import Linux
import Staging

/// Where a restore writes down what has to be undone if it dies.
struct RestoreJournal: UndoJournal {
    let area: RestoreArea
    let run: RunID

    func record(_ facts: any UndoFacts, of dump: String) async throws(DumpError) -> UndoRecord {
        let record = UndoRecord(run: run, dump: dump, facts, owner: .current)
        try await write { () throws(StagingError) in try await area.area.recordUndo(record) }
        return record
    }

    func forget(_ record: UndoRecord) async throws(DumpError) {
        try await write { () throws(StagingError) in try await area.area.forgetUndo(record) }
    }

    private func write(_ body: () async throws(StagingError) -> Void) async throws(DumpError) {
        do throws(StagingError) {
            try await body()
        } catch {
            throw DumpError(
                .system, "cannot write the undo journal of restores: \(error.message)", hint: error.hint,
                context: error.context, underlying: error)
        }
    }
}
