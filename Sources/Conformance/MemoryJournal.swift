import DumpCore
import Linux

/// An undo journal that remembers everything.
public final class MemoryJournal: UndoJournal {
    private let run = RunID(start: .now)
    private let recorded = Notes<UndoRecord>()
    private let forgotten = Notes<UndoRecord>()

    public init() {}

    public var all: [UndoRecord] { recorded.all }
    /// What was recorded and not forgotten since.
    public var open: [UndoRecord] { recorded.all.filter { !forgotten.all.contains($0) } }

    public func record(_ facts: any UndoFacts, of dump: String) async throws(DumpError) -> UndoRecord {
        let record = UndoRecord(run: run, dump: dump, facts, owner: .current)
        recorded.append(record)
        return record
    }

    public func forget(_ record: UndoRecord) async throws(DumpError) { forgotten.append(record) }
}
