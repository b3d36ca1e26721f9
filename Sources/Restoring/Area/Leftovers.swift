import DumpCore
import Logging
import Processes
import Reporting
import Staging
import SystemPackage

/// What restores that died have left: databases and directories half restored, names half exchanged, rooms.
public struct RestoreLeftovers: Sendable {
    private let means: RestoreMeans
    private var area: RestoreArea { means.area }
    private var log: Logger { means.log }

    public init(_ means: RestoreMeans) { self.means = means }

    /// Undoes all of it, newest first. What cannot be undone stays on record, and is returned with its error.
    public func undo() async throws -> [Undoing] {
        try await area.area.removeUnfinishedRecords()
        var done: [Undoing] = []
        for record in try await area.area.undoRecords() { done.append(await undo(record)) }
        for path in try await area.removeLeftRooms() {
            log.notice("removed what a killed restore had fetched", metadata: ["path": "\(path)"])
        }
        return try await done + area.area.unreadableUndoRecords().map { Undoing(unreadable: $0) }
    }

    private func undo(_ record: UndoRecord) async -> Undoing {
        var undoing = Undoing(record, in: area.area)
        let facts: Logger.Metadata = ["run": "\(record.run)", "dump": "\(record.dump)", "what": "\(record.kind)"]
        do {
            // What the dead one's programs still do could come after what is undone here.
            try await Keeper.waitForOrphans(of: record.owner, log: log)
            guard let restorer = means.restorers.undoing(record) else { throw DumpError(unknown: record) }
            try await restorer.undo(record, in: means.context(of: record.dump, record.run))
            try await area.area.forgetUndo(record)
            log.note(.leftoversUndone, facts)
        } catch {
            undoing.error = RunReport.ErrorRecord(error.forOperator)
            log.error("cannot undo what a dead restore has left", metadata: facts.merging(["error": "\(error)"]) { $1 })
        }
        return undoing
    }
}
