import DumpCore
import Glibc
import Jobs
import Linux
import Logging
import Reporting
import Staging
import Synchronization

/// The report of a run while it goes on: each step adds what became of it.
///
/// It is on record from the run's start: a run that is killed stays there without a result.
final class RunRecord: Sendable {
    let id: RunID
    let startedAt: Timestamp
    private let log: Logger
    private let report: Mutex<RunReport>
    /// When the stage began that the report names.
    private let stageBeganAt = Mutex<ContinuousClock.Instant?>(nil)

    /// The record of a run that begins now.
    init(of job: ReadyJob, tool: Manifest.Tool, log: Logger) {
        startedAt = .now
        id = RunID(start: startedAt)
        self.log = log
        var report = RunReport(
            tool: tool, command: RunReport.Part.run.rawValue, job: job.name, runID: id, host: job.hostName,
            startedAt: startedAt)
        report.invocationID = getenv("INVOCATION_ID").map { String(cString: $0) }
        self.report = Mutex(report)
    }

    var current: RunReport { report.withLock { $0 } }

    func note(_ change: (inout RunReport) -> Void) { report.withLock { change(&$0) } }

    /// Puts on record what the run does now.
    ///
    /// A run whose record cannot be written goes on: it would be a pity about the dumps. It does not end with status 0, see `end`.
    func enter(_ stage: RunReport.Stage, in area: StagingArea) async {
        let isFirst = current.stage == nil
        noteTimeOfStage()
        note {
            $0.stage = stage
            $0.endedAt = .now
        }
        do {
            try await area.writeReport(current, of: id)
        } catch {
            // Said once, and again in the end.
            guard isFirst else { return }
            log.warning("cannot record the state of the run", metadata: ["error": "\(error.message)"])
        }
    }

    /// Shows an observer the run as it is on record, and puts on record what he has found.
    func tell(_ observer: Run.Observer, in area: StagingArea) async {
        let known = current.findings ?? []
        let news = await observer(current).filter { !known.contains($0) }
        guard !news.isEmpty else { return }
        for finding in news { log.warning("\(finding.message)", metadata: finding.facts) }
        note { $0.findings = known + news }
        do {
            try await area.writeReport(current, of: id)
        } catch {
            log.warning("cannot record the state of the run", metadata: ["error": "\(error.message)"])
        }
    }

    /// Adds the time of the stage that is over. The next one begins now.
    private func noteTimeOfStage() {
        let now = ContinuousClock.now
        let beganAt = stageBeganAt.withLock { beganAt in
            defer { beganAt = now }
            return beganAt
        }
        note { report in
            guard let beganAt, let stage = report.stage else { return }
            var stages = report.stages ?? RunReport.StageTimes()
            stages[stage] = ((stages[stage] ?? 0) + (now - beganAt) / .seconds(1)).inThousandths
            report.stages = stages
        }
    }

    /// Closes the report.
    func end(with failure: RunFailure?) -> RunReport.Ended {
        noteTimeOfStage()
        note { $0.end(with: failure) }
        return RunReport.Ended(report: current, failure: failure)
    }

    /// Closes the report and writes it to the staging area.
    func end(with failure: RunFailure?, in area: StagingArea) async -> RunReport.Ended {
        let ended = end(with: failure)
        StopPoint.passing("ended")
        do {
            try await area.writeReport(ended.report, of: id)
            return ended
        } catch {
            log.error("cannot write the run report", metadata: ["error": "\(error)"])
            // A run whose outcome is not on record did not end well. Its own failure says more than this one.
            return end(with: failure ?? .afterwards(error))
        }
    }
}

extension Double {
    /// Rounded, as times in reports are.
    fileprivate var inThousandths: Double { (self * 1000).rounded() / 1000 }
}

extension Finding {
    fileprivate var facts: Logger.Metadata {
        var facts: Logger.Metadata = ["code": "\(code)"]
        if let hint { facts["hint"] = "\(hint)" }
        return facts
    }
}
