/// What Muster tells Prometheus of a job: one case a metric, in the order in which they are printed. All are gauges.
///
/// Each series has the label `backup_job` first; `job` belongs to the scrape. Names follow Prometheus' conventions: base units, points in time
/// as `_timestamp_seconds`. An age is never exported: it would stand still as soon as the writing stops.
enum Metric: String, CaseIterable, Sendable {
    case buildInfo = "muster_build_info"

    case jobVerdict = "muster_job_verdict"
    case jobReasons = "muster_job_reasons"
    case jobAlertAfter = "muster_job_alert_after_seconds"
    case jobRunning = "muster_job_running"
    case jobLastRunStart = "muster_job_last_run_start_timestamp_seconds"
    case jobLastRunEnd = "muster_job_last_run_end_timestamp_seconds"
    case jobLastRunSuccess = "muster_job_last_run_success"
    case jobLastRunOutcome = "muster_job_last_run_outcome"
    case jobLastRunExitStatus = "muster_job_last_run_exit_status"
    case jobLastRunDuration = "muster_job_last_run_duration_seconds"
    case jobLastRunStageDuration = "muster_job_last_run_stage_duration_seconds"
    case jobLastRunAttempts = "muster_job_last_run_attempts"
    case jobLastSuccess = "muster_job_last_success_timestamp_seconds"
    case jobJournalEntries = "muster_job_journal_entries"

    case setBytes = "muster_set_bytes"
    case setFiles = "muster_set_files"
    case setReusedBytes = "muster_set_reused_bytes"

    case dumpInfo = "muster_dump_info"
    case dumpLastAttempt = "muster_dump_last_attempt_timestamp_seconds"
    case dumpLastAttemptSuccess = "muster_dump_last_attempt_success"
    case dumpLastSuccess = "muster_dump_last_success_timestamp_seconds"
    case dumpDuration = "muster_dump_duration_seconds"
    case dumpBytes = "muster_dump_bytes"
    case dumpFiles = "muster_dump_files"
    case dumpRows = "muster_dump_rows"
    case dumpWarnings = "muster_dump_warnings"
    case dumpOmissions = "muster_dump_omissions"
    case dumpConsistency = "muster_dump_consistency"
    case dumpConsistencyWindow = "muster_dump_consistency_window_seconds"
    case dumpReplayPaused = "muster_dump_replay_paused_seconds"

    case databaseLastSuccess = "muster_database_last_success_timestamp_seconds"
    case databaseBytes = "muster_database_bytes"
    case databaseRows = "muster_database_rows"
    case databaseTables = "muster_database_tables"

    case repositoryLastAttempt = "muster_repository_last_attempt_timestamp_seconds"
    case repositoryLastAttemptSuccess = "muster_repository_last_attempt_success"
    case repositoryLastSuccess = "muster_repository_last_success_timestamp_seconds"
    case repositoryAlertAfter = "muster_repository_alert_after_seconds"
    case repositoryArchives = "muster_repository_archives"
    case repositoryArchiveDuration = "muster_repository_archive_duration_seconds"
    case repositoryConfirmationDuration = "muster_repository_confirmation_duration_seconds"
    case repositoryStoredBytes = "muster_repository_stored_bytes"
    case repositoryUpkeepSuccess = "muster_repository_upkeep_success"
    case repositoryFreedBytes = "muster_repository_freed_bytes"
    case repositoryLastCheck = "muster_repository_last_check_timestamp_seconds"
    case repositoryLastDataVerification = "muster_repository_last_data_verification_timestamp_seconds"

    case drillLast = "muster_drill_last_timestamp_seconds"
    case drillLastSuccess = "muster_drill_last_success"
    case drillLastOutcome = "muster_drill_last_outcome"
    case drillLastDuration = "muster_drill_last_duration_seconds"
    case drillLastProven = "muster_drill_last_proven_timestamp_seconds"
    case drillRestoreDuration = "muster_drill_restore_duration_seconds"
    case drillAlertAfter = "muster_drill_alert_after_seconds"
    case drillDumpSuccess = "muster_drill_dump_success"
    case drillDumpDuration = "muster_drill_dump_duration_seconds"

    var name: String { rawValue }
}

extension Metric {
    static let jobLabel = "backup_job"

    /// The names of the labels behind `backup_job`.
    var labels: [String] { owner + detail }

    /// Whose a series is, below the job.
    private var owner: [String] {
        for thing in ["database", "dump", "repository"] where name.hasPrefix("muster_\(thing)_") {
            return thing == "database" ? ["dump", thing] : [thing]
        }
        return name.hasPrefix("muster_drill_dump_") ? ["dump"] : []
    }

    private var detail: [String] {
        switch self {
        case .buildInfo: ["version"]
        case .jobVerdict: ["verdict"]
        case .jobReasons: ["code", "severity"]
        case .jobLastRunOutcome, .drillLastOutcome: ["outcome"]
        case .jobLastRunStageDuration: ["stage"]
        case .jobJournalEntries: ["state"]
        case .dumpInfo: ["provider"]
        case .dumpOmissions: ["code", "severity"]
        case .dumpConsistency: ["kind"]
        default: []
        }
    }
}
