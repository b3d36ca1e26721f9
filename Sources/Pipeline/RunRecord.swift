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

    /// Of a run that begins now.
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

    /// Closes the report.
    func end(with failure: RunFailure?) -> RunReport.Ended {
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
