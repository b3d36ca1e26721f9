import DumpCore
import Linux
import Logging
import Staging
import SystemPackage

/// One run of a job, from the lock to the report.
///
///     lock → undo leftovers → prepare all → freeze all → dump all → release all → gate → seal → publish → archive → report
public struct Run: Sendable {
    public let job: Job
    public let id: RunID
    let startedAt: Timestamp
    let tool: Manifest.Tool
    let display: any ProgressDisplay
    let acceptsSizes: Bool
    /// Where a dump by hand is made; nil for what is published.
    var areaByHand: FilePath?
    var isByHand: Bool { areaByHand != nil }
    let log: Logger

    /// - Parameter acceptsSizes: the sizes of this run's dumps are right whatever they are, and the measure for later runs.
    public init(
        _ job: Job, tool: Manifest.Tool, display: any ProgressDisplay = NoDisplay(), acceptsSizes: Bool = false,
        log: Logger
    ) {
        self.job = job
        self.acceptsSizes = acceptsSizes
        self.tool = tool
        self.display = display
        self.log = log
        startedAt = .now
        id = RunID(start: startedAt)
    }

    /// Which part of the story is told.
    public enum Part: String, Sendable {
        /// Everything: dump, publish, archive.
        case run
        /// Up to the published set.
        case dump
        /// From the published set on.
        case archive
    }

    /// Dumps, publishes and archives. No archive is made after a failed dump, and after any failure but an archive's the
    /// set in `current/` is what it was.
    ///
    /// The report comes back on every path. It is in the staging area too, unless another run holds the lock.
    public func perform(_ part: Part) async -> RunReport.Ended {
        var report = newReport(of: part.rawValue)
        do {
            if let exposure = try await StagingArea.exposure(of: job.staging, toAllBut: job.dumpUsers) {
                log.warning("\(exposure.message)", metadata: ["code": "\(exposure.code)"])
            }
            let area = try await StagingArea.open(job.staging)
            let lock = try await area.lock(for: id, command: "muster \(part.rawValue) \(job.name)")
            defer { lock.release() }
            StopPoint.passing("locked")
            try await lock.claim(for: job)
            let failure = await tell(part, holding: lock, &report)
            return RunReport.Ended(report: report, failure: failure)
        } catch {
            let failure = RunFailure(error, during: part == .archive ? .archive : .dump)
            report.end(with: failure)
            return RunReport.Ended(report: report, failure: failure)
        }
    }

    private func tell(
        _ part: Part, holding lock: StagingLock, _ report: inout RunReport
    ) async -> RunFailure? {
        var failure: RunFailure?
        let inPlace = SourcesInPlace()
        await enter(part == .archive ? .archive : .prepare, in: lock.area, &report)
        do throws(RunFailure) {
            try await undoLeftovers(before: part, holding: lock)
            switch part {
            case .archive:
                try await archive(try await currentSet(holding: lock, &report), holding: lock, &report)
            case .dump, .run:
                let published = try await dump(holding: lock, inPlace, &report)
                if part == .dump {
                    try await keep(inPlace, in: lock.area)
                } else {
                    await enter(.archive, in: lock.area, &report)
                    try await archive(published.set, holding: lock, &report)
                }
                if let obstacle = published.shortfall.notOnDisk { throw .afterwards(obstacle) }
            }
        } catch {
            failure = error
        }
        await inPlace.release()
        report.end(with: failure)
        StopPoint.passing("ended")
        do {
            try await lock.area.writeReport(report, of: id)
        } catch {
            log.error("cannot write the run report", metadata: ["error": "\(error)"])
            // A run whose outcome is not on record did not end well. Its own failure says more than this one.
            failure = failure ?? .afterwards(error)
            report.end(with: failure)
        }
        return failure
    }

    func newReport(of command: String) -> RunReport {
        RunReport(tool: tool, command: command, job: job.name, runID: id, host: job.host, startedAt: startedAt)
    }

    private func undoLeftovers(before part: Part, holding lock: StagingLock) async throws(RunFailure) {
        do {
            for removed in try await lock.removeLeftovers() {
                log.warning("cleaned up after a run that did not end", metadata: ["what": "\(removed)"])
            }
            // What cannot be undone is said, and is no reason to go without a dump.
            // A new set takes the place of the one whose snapshots were kept.
            _ = try await undoSideEffects(in: lock.area, which: part == .archive ? .leftBehind : .all)
        } catch {
            throw RunFailure(error, during: .dump)
        }
    }
}
