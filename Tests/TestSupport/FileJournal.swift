import DumpCore
import Staging
import SystemPackage

/// The undo journal of a staging area, for a process that will be killed.
public struct FileJournal: UndoJournal {
    public let staging: FilePath
    private let run = RunID(start: .now)

    public init(in scratch: FilePath) { staging = scratch.appending("staging") }

    public func record(_ facts: any UndoFacts, of dump: String) async throws(DumpError) -> UndoRecord {
        let record = UndoRecord(run: run, dump: dump, facts, owner: .current)
        try await write { area throws(StagingError) in try await area.recordUndo(record) }
        return record
    }

    public func forget(_ record: UndoRecord) async throws(DumpError) {
        try await write { area throws(StagingError) in try await area.forgetUndo(record) }
    }

    /// Newest first.
    public func records() async throws -> [UndoRecord] { try await StagingArea.open(staging).allUndoRecords() }

    private func write(_ body: (StagingArea) async throws(StagingError) -> Void) async throws(DumpError) {
        do throws(StagingError) {
            try await body(try await StagingArea.open(staging))
        } catch {
            throw DumpError(.system, "\(error)")
        }
    }
}
