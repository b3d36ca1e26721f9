import DumpCore
import Linux
import Logging
import Reporting
import SystemPackage

/// What restores, drills and looks work with, whatever they restore.
public struct RestoreMeans: Sendable {
    let area: RestoreArea
    let restorers: Restorers
    /// Where to put what is fetched, if not in the usual place.
    let base: FilePath?
    let display: any ProgressDisplay
    let log: Logger

    public init(
        in area: RestoreArea, by restorers: Restorers, base: FilePath? = nil,
        display: any ProgressDisplay = NoDisplay(), log: Logger
    ) {
        (self.area, self.restorers, self.base, self.display, self.log) = (area, restorers, base, display, log)
    }

    /// What a restorer gets when it works for a dump.
    func context(
        of dump: String, _ run: RunID, turns: RunContext.Turns = RunContext.Turns(slots: WorkSlots(capacity: 1))
    ) -> RunContext {
        RunContext(
            runID: run, dump: dump, progress: RestoreProgress(display: display), log: log, turns: turns,
            journal: RestoreJournal(area: area, run: run))
    }

    /// Undoes what dead restores and drills have left. What cannot be undone is logged, and stays on record.
    func undoLeftovers() async throws {
        for failure in try await RestoreLeftovers(self).undo().compactMap(\.error) {
            log.warning(
                "what a killed restore left is still there: muster restore --undo",
                metadata: ["why": "\(failure.message)"])
        }
    }
}
