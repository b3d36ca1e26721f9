import DumpCore
import Jobs
import Notices
import Reporting
import Staging
import SystemPackage

extension Run {
    typealias Announcement = Task<[RunReport.NoticeRecord], Never>

    private var notices: Notices? { job.runner.map { Notices(of: job.job, by: $0, log: log) } }

    /// Tells that the run begins, while it goes on: no receiver holds it up.
    func announce() -> Announcement? {
        guard let notices else { return nil }
        let notice = notice(.start, "\(record.current.command) started")
        return Task { await notices.tell(notice) }
    }

    /// What follows the end of a run: the operator's programs, the notices to receivers, and what the report says about both.
    ///
    /// - Parameter area: has the report; nil if the run did not get that far.
    func conclude(
        _ ended: RunReport.Ended, after announcement: Announcement?, in area: StagingArea?
    ) async -> RunReport.Ended {
        let begun = await announcement?.value ?? []
        let report = area?.reportFile(of: id)
        await followByHooks(ended, report: report)
        let told = begun + (await tell(ended, report: report))
        if !told.isEmpty { record.note { $0.notices = told } }
        guard job.hooks != nil || !told.isEmpty else { return ended }
        if let area {
            do {
                try await area.writeReport(record.current, of: id)
            } catch {
                log.warning("cannot add the notices to the run report", metadata: ["error": "\(error.message)"])
            }
        }
        return RunReport.Ended(report: record.current, failure: ended.failure)
    }

    private func tell(_ ended: RunReport.Ended, report: FilePath?) async -> [RunReport.NoticeRecord] {
        guard let notices else { return [] }
        var notice = notice(of: ended)
        notice.report = report
        return await notices.tell(notice, changes(notice, ended.failure))
    }

    /// An interruption says nothing of whether the next run would succeed.
    private func changes(_ notice: Notice, _ failure: RunFailure?) -> [IncidentChange] {
        switch failure {
        case .interrupted: return []
        case nil:
            var recovered = notice
            recovered.subject = self.notice(.recovery, "\(notice.command) succeeds again").subject
            return [IncidentChange(.ended, "run", recovered)]
        case .archive, .damagedSet:
            return [IncidentChange(.opened, "run", notice, endedBy: ["run", "archive"])]
        case .dump, .afterwards, .locked, .configuration:
            return [IncidentChange(.opened, "run", notice, endedBy: ["run", notice.command])]
        }
    }

    private func notice(of ended: RunReport.Ended) -> Notice {
        let (report, failure) = (ended.report, ended.failure)
        var notice =
            switch failure {
            case nil: notice(.success, "\(report.command) done", report.lines)
            case .interrupted: notice(.interruption, "\(report.command) interrupted")
            default:
                notice(
                    .failure, "\(report.command) failed: \(failure?.error?.message ?? "")",
                    [failure?.error?.description ?? ""])
            }
        notice.outcome = report.outcome.rawValue
        (notice.endedAt, notice.exitStatus, notice.error) = (report.endedAt, report.exitStatus, report.error)
        return notice
    }

    private func notice(_ event: NoticeEvent, _ subject: String, _ lines: [String] = []) -> Notice {
        Notice(
            event, about: .run, of: job.job, command: record.current.command, runID: id, subject: subject,
            text: (lines + ["run \(id)"]).joined(separator: "\n"), startedAt: record.startedAt)
    }
}

extension RunReport {
    /// What a run has made, a line each.
    fileprivate var lines: [String] {
        dumps.map { "dump \($0.name): \(formatBytes($0.bytes ?? 0))".onOneLine }
            + archives.map { "archive \($0.name ?? "") in \($0.repository): confirmed".onOneLine }
    }
}
