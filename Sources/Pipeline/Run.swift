import DumpCore
import Jobs
import Linux
import Logging
import Reporting
import Staging
import SystemPackage

/// One run of a job, from the lock to the report.
///
///     lock → undo leftovers → hooks before → prepare all → freeze all → dump all → release all → gate → seal → publish → archive
///     → hooks after → report → notices
public struct Run: Sendable {
    public let job: ReadyJob
    let display: any ProgressDisplay
    let acceptsSizes: Bool
    let observer: Observer
    /// Where a dump by hand is made; nil for what is published.
    var areaByHand: FilePath?
    /// The record of this run, for as long as it goes on.
    let record: RunRecord
    let log: Logger

    public var id: RunID { record.id }

    /// Hears of a run twice: once it is on record, and once its result is. Returns what is to be put on record beside that.
    ///
    /// The run waits for it, and holds its lock.
    public typealias Observer = @Sendable (RunReport) async -> [Finding]

    /// - Parameter acceptsSizes: the sizes of this run's dumps are right whatever they are, and the measure for later runs.
    public init(
        _ job: ReadyJob, tool: Manifest.Tool, display: any ProgressDisplay = NoDisplay(), acceptsSizes: Bool = false,
        observer: @escaping Observer = { _ in [] }, log: Logger
    ) {
        self.job = job
        self.display = display
        self.acceptsSizes = acceptsSizes
        self.observer = observer
        self.log = log
        record = RunRecord(of: job, tool: tool, log: log)
    }

    public typealias Part = RunReport.Part

    /// Dumps, publishes and archives, or a part of that. No archive is made after a failed dump, and after any failure but an archive's
    /// the set in `current/` is what it was.
    ///
    /// The report comes back on every path. It is in the staging area too, unless another run holds the lock. A run is performed once.
    public func perform(_ part: Part) async -> RunReport.Ended {
        record.note { $0.command = part.rawValue }
        let announcement = announce()
        do {
            let lock = try await lock(for: part)
            defer { lock.release() }
            let inPlace = SourcesInPlace()
            let failure = await failure(of: { () throws(RunFailure) in try await tell(part, holding: lock, inPlace) })
            await inPlace.release()
            let ended = await record.end(with: await finishByHooks(failure), in: lock.area)
            await record.tell(observer, in: lock.area)
            return await conclude(
                RunReport.Ended(report: record.current, failure: ended.failure), after: announcement, in: lock.area)
        } catch {
            let ended = record.end(with: RunFailure(error, during: part == .archive ? .archive : .dump))
            return await conclude(ended, after: announcement, in: nil)
        }
    }

    /// The story.
    ///
    /// - Parameter inPlace: receives what Borg reads where it is, and what the caller then releases.
    private func tell(
        _ part: Part, holding lock: StagingLock, _ inPlace: SourcesInPlace
    ) async throws(RunFailure) {
        await enter(part == .archive ? .archive : .prepare, in: lock.area)
        await record.tell(observer, in: lock.area)
        try await undoLeftovers(before: part, holding: lock)
        try await prepareByHooks()
        guard part != .archive else {
            return try await archive(try await currentSet(holding: lock), holding: lock)
        }
        let published = try await dump(holding: lock, inPlace)
        if part == .dump {
            try await keep(inPlace, in: lock.area)
        } else {
            await enter(.archive, in: lock.area)
            try await archive(published.set, holding: lock)
        }
        if let obstacle = published.shortfall.notOnDisk { throw .afterwards(obstacle) }
    }

    private func lock(for part: Part) async throws -> StagingLock {
        if let exposure = try await StagingArea.exposure(of: job.staging, toAllBut: job.dumpUsers) {
            log.warning("\(exposure.message)", metadata: ["code": "\(exposure.code)"])
        }
        let area = try await StagingArea.open(job.staging)
        let lock = try await area.lock(for: id, command: "muster \(part.rawValue) \(job.name)")
        StopPoint.passing("locked")
        do {
            try await lock.claim(for: job)
            return lock
        } catch {
            lock.release()
            throw error
        }
    }

    private func undoLeftovers(before part: Part, holding lock: StagingLock) async throws(RunFailure) {
        do {
            for removed in try await lock.removeLeftovers() {
                log.warning("cleaned up after a run that did not end", metadata: ["what": "\(removed)"])
            }
            // What cannot be undone is reported, and dumps are taken all the same.
            // A new set takes the place of the one whose snapshots were kept.
            _ = try await sideEffects.undo(part == .archive ? .leftBehind : .all, in: lock.area)
        } catch {
            throw RunFailure(error, during: .dump)
        }
    }

    /// A dump by hand is not of the job's history.
    func enter(_ stage: RunReport.Stage, in area: StagingArea) async {
        if areaByHand == nil { await record.enter(stage, in: area) }
    }

    var providers: ProviderContexts { ProviderContexts(job: job, run: id, areaByHand: areaByHand, log: log) }
    var sideEffects: SideEffects { SideEffects(providers) }
}

/// What stopped the work; nil if nothing did.
func failure(of work: () async throws(RunFailure) -> Void) async -> RunFailure? {
    do {
        try await work()
        return nil
    } catch {
        return error
    }
}
