import DumpCore
import Jobs
import Logging
import Notices
import Reporting

/// Tells the receivers of a job how a command besides a run goes: a drill, or a check.
struct CommandNotices {
    private let job: ReadyJob
    private let topic: NoticeTopic
    private let command: String
    private let id = RunID(start: .now)
    private let startedAt = Timestamp.now
    private let log: Logger

    init(of job: ReadyJob, about topic: NoticeTopic, command: String, log: Logger) {
        (self.job, self.topic, self.command, self.log) = (job, topic, command, log)
    }

    private var notices: Notices? { job.runner.map { Notices(of: job.job, by: $0, log: log) } }

    /// Does the work, and sends notices of its start and its end. An error of the work is sent, and thrown on.
    ///
    /// - Parameter verdict: of work that came to its end.
    func telling<Result: Sendable>(
        _ work: () async throws -> Result, verdict: (Result) -> Verdict
    ) async throws -> Result {
        let announcement = announce()
        do {
            let result = try await work()
            _ = await announcement.value
            await tell(Task.isCancelled ? .interrupted : verdict(result))
            return result
        } catch {
            _ = await announcement.value
            let failure = (error as? CommandFailure)?.error ?? error as? any OperatorError
            await tell(
                Task.isCancelled
                    ? .interrupted : Verdict(opened: [(topic.rawValue, failure ?? SetupError("it could not begin"))]))
            throw error
        }
    }

    private func announce() -> Task<Void, Never> {
        let (notices, notice) = (notices, notice(.start, "\(command) started"))
        return Task { await notices?.tell(notice) }
    }

    private func tell(_ verdict: Verdict) async {
        var event = notice(verdict.event, verdict.subject(of: command), verdict.text)
        event.endedAt = .now
        event.outcome = verdict.outcome.rawValue
        event.error = verdict.opened.first.map { RunReport.ErrorRecord($0.error) }
        let opened = verdict.opened.map { key, error in
            var notice = notice(.failure, "\(command) failed: \(error.message)", error.description)
            (notice.endedAt, notice.outcome, notice.error) = (.now, event.outcome, RunReport.ErrorRecord(error))
            return IncidentChange(.opened, key, notice)
        }
        let ended = verdict.ended.map { key in
            IncidentChange(.ended, key, notice(.recovery, "\(command) succeeds again", verdict.text))
        }
        await notices?.tell(event, opened + ended)
    }

    private func notice(_ event: NoticeEvent, _ subject: String, _ text: String = "") -> Notice {
        Notice(
            event, about: topic, of: job.job, command: command, runID: id, subject: subject, text: text,
            startedAt: startedAt)
    }
}

extension CommandNotices {
    /// How a command ended: what goes wrong, and what does not, by the keys of incidents.
    struct Verdict {
        var opened: [(key: String, error: any OperatorError)] = []
        var ended: [String] = []
        var text = ""
        var isInterrupted = false

        static let interrupted = Verdict(isInterrupted: true)

        var event: NoticeEvent { isInterrupted ? .interruption : opened.isEmpty ? .success : .failure }

        var outcome: RunReport.Outcome { isInterrupted ? .interrupted : opened.isEmpty ? .done : .failed }

        func subject(of command: String) -> String {
            if let first = opened.first { return "\(command) failed: \(first.error.message)" }
            return isInterrupted ? "\(command) interrupted" : "\(command) done"
        }
    }
}
