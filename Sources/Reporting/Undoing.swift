import DumpCore
import Staging

/// What became of one side effect that a dead run had left.
public struct Undoing: Sendable, Codable {
    /// Nil if it cannot be read.
    public var record: UndoRecord?
    /// What was wrong with what was kept for a Borg outside of Muster, which may have read it since. Nil if nothing was, or nothing was kept.
    public var loss: String?
    /// Where the record is, or was.
    public var file: String?
    /// Why it could not be undone; it stays on record then.
    public var error: RunReport.ErrorRecord?

    public init(_ record: UndoRecord, in area: StagingArea) {
        self.record = record
        file = area.path(of: record).string
    }

    public init(unreadable error: StagingError) { self.error = RunReport.ErrorRecord(error) }
}
