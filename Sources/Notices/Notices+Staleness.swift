import DumpCore
import Jobs
import Reporting

extension Notices {
    /// Tells that something has not happened for too long, or happens again. May be called as often as one looks: what is known is not told.
    ///
    /// A check of healthchecks hears nothing of it: it finds that out by itself.
    ///
    /// - Parameters:
    ///   - key: what is stale, such as `stale/run` or `stale/archive/offsite`. It must not be that of a run, drill or check.
    ///   - subject: goes on after the names of job and host, such as `no good run for 26h`.
    @discardableResult
    public func tell(
        _ kind: IncidentChange.Kind, staleness key: String, subject: String, text: String
    ) async -> [RunReport.NoticeRecord] {
        let notice = Notice(
            .failure, about: .staleness, of: job, command: "status", runID: RunID(start: .now), subject: subject,
            text: text)
        return await tell(nil, [IncidentChange(kind, key, notice)])
    }
}
