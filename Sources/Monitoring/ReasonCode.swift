import DumpCore

/// Why a job is not simply well, as far as no error says it: what Muster finds out by looking at what is on record.
///
/// The one table of these reasons. docs/troubleshooting.md explains each to the operator.
public enum ReasonCode: String, Sendable, CaseIterable {
    case neverRun = "never_run"
    case runWithoutResult = "run_without_result"
    case runInterrupted = "run_interrupted"
    case runFailed = "run_failed"
    case jobStale = "job_stale"
    case setMissing = "set_missing"
    case notTold = "not_told"
    case archiveFailed = "archive_failed"
    case neverArchived = "never_archived"
    case repositoryStale = "repository_stale"
    case drillFailed = "drill_failed"
    case neverDrilled = "never_drilled"
    case drillStale = "drill_stale"
    case leftToUndo = "left_to_undo"
    case lostForBorg = "lost_for_borg"
    case leftDirectory = "left_directory"
    case recordUnreadable = "record_unreadable"
    case datedAhead = "dated_ahead"

    var severity: Finding.Severity {
        switch self {
        case .neverRun, .runInterrupted, .notTold, .neverArchived, .neverDrilled, .leftToUndo, .leftDirectory,
            .datedAhead:
            .warning
        case .runWithoutResult, .runFailed, .jobStale, .setMissing, .archiveFailed, .repositoryStale, .drillFailed,
            .drillStale, .lostForBorg, .recordUnreadable:
            .failure
        }
    }

    /// What to do, as a sentence. Nil where the error of the run says it.
    func hint(for job: String) -> String? {
        switch self {
        case .neverRun: "Run it, or start its timer: muster run \(job)."
        case .runWithoutResult: "The next run cleans up. Look in the system's journal for what ended it."
        case .runInterrupted: "Run the job again, unless its timer does."
        case .runFailed: nil
        case .jobStale: "Check that its timer runs, and find out why runs fail: muster status \(job)."
        case .setMissing: "Take a new one: muster run \(job)."
        case .notTold: "Try it: muster notify \(job)."
        case .archiveFailed: "The set is intact: muster archive \(job)."
        case .neverArchived: "Put the published set into it: muster archive \(job)."
        case .repositoryStale: "Find out why archives fail, and archive the published set: muster archive \(job)."
        case .drillFailed: "Mend it, and hold another: muster drill \(job)."
        case .neverDrilled: "Hold one: muster drill \(job)."
        case .drillStale: "Hold one, and check that its timer runs: muster drill \(job)."
        case .leftToUndo: "The next run undoes it, or: muster undo \(job)."
        case .lostForBorg: "Do not trust the archive of that run: muster release \(job) tells more."
        case .leftDirectory: "Remove it."
        case .recordUnreadable: "Look at it by hand: muster undo \(job) names its file."
        case .datedAhead: "Set the clock right: timedatectl shows it. Until then ages say nothing."
        }
    }
}
