import DumpCore
import Jobs
import Logging
import Staging
import SystemPackage

/// What the providers of a job get when they work for a run, or for a command that undoes what runs have left.
struct ProviderContexts: Sendable {
    let job: ReadyJob
    let run: RunID
    /// Where a dump by hand is made; nil for what is published.
    var areaByHand: FilePath?
    let log: Logger

    /// What a provider gets when it works for the dump called `name`.
    func context(
        of name: String, _ slots: WorkSlots, jobsPerUnit: Int = 1, progress: any ProgressObserver = NoProgress(),
        previous: PreviousDump? = nil
    ) -> RunContext {
        let ownPlaces = [job.staging] + job.repositories.compactMap(\.settings.localPath)
        return RunContext(
            runID: run, dump: name, deadline: job.sources.first { $0.name == name }?.deadline, progress: progress,
            log: log, turns: RunContext.Turns(slots: slots, jobsPerUnit: jobsPerUnit),
            shortcuts: RunContext.Shortcuts(previous: previous),
            journal: AreaJournal(run: run, staging: job.staging),
            surroundings: RunContext.Surroundings(
                isByHand: areaByHand != nil, ownPlaces: ownPlaces + (areaByHand.map { [$0] } ?? []),
                isApplicationHeld: job.quiescence != nil))
    }
}
