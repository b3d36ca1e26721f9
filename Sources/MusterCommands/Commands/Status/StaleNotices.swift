import DumpCore
import Jobs
import Logging
import Monitoring
import Notices
import Processes

/// Tells the receivers of a job what no run can tell: that runs, archives or drills are missing, and that a run was killed. Once when that begins,
/// and once when it is over, however often it is asked.
struct StaleNotices {
    let job: Job
    let health: JobHealth
    let log: Logger

    /// A job without receivers gets no notices.
    func tell(by runner: ProgramRunner) async {
        let notices = Notices(of: job, by: runner, log: log)
        for subject in subjects {
            if let reason = subject.reason {
                await notices.tell(
                    .opened, staleness: subject.key, subject: reason.message, text: reason.hint ?? "")
            } else {
                await notices.tell(.ended, staleness: subject.key, subject: "\(subject.name) is well again", text: "")
            }
        }
    }

    private struct Subject {
        var key: String
        var name: String
        /// Why it is not well.
        var reason: Finding?
    }

    private var subjects: [Subject] {
        let repositories = job.repositories.map { repository in
            Subject(
                key: "stale/archive/\(repository.name)", name: "repository \(repository.name)",
                reason: reason([.repositoryStale, .neverArchived], of: repository.name))
        }
        return [
            Subject(key: "stale/run", name: "the last run", reason: reason([.jobStale, .neverRun])),
            Subject(key: "stale/killed", name: "the last run", reason: reason([.runWithoutResult])),
            Subject(key: "stale/drill", name: "the last drill", reason: reason([.drillStale, .neverDrilled])),
        ] + repositories
    }

    private func reason(_ codes: [ReasonCode], of object: String? = nil) -> Finding? {
        health.reasons.first { reason in
            codes.contains { $0.rawValue == reason.code } && (object == nil || reason.object == object)
        }
    }
}
