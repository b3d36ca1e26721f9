extension Metric {
    /// What stands behind `# HELP`. The files of all jobs have the same text, or the node exporter reports an error.
    var help: String {
        switch self {
        case .buildInfo: "The version of Muster that wrote the metrics. Always 1."
        default: helpOfJob ?? helpOfDump ?? helpOfRepository ?? helpOfDrill ?? ""
        }
    }

    private var helpOfJob: String? {
        switch self {
        case .jobVerdict: "1 for how the job was doing when the metrics were written, 0 for the other verdicts."
        case .jobReasons: "Reasons why the verdict is not ok, by their code."
        case .jobAlertAfter: "How old the last success may become: alert_after, or three times the usual interval."
        case .jobRunning: "1 if a run was at work when the metrics were written."
        case .jobLastRunStart: "When the newest run began, ended or not."
        case .jobLastRunEnd: "When the newest finished run ended."
        case .jobLastRunSuccess: "1 if that run did all that it should."
        case .jobLastRunOutcome: "1 for the outcome of that run, 0 for the other outcomes. no_result: it was killed."
        case .jobLastRunExitStatus: "The exit status of that run. Absent if it was killed."
        case .jobLastRunDuration: "How long that run took."
        case .jobLastRunStageDuration: "How long each of its stages took."
        case .jobLastRunAttempts: "How many times that run started to take its dumps."
        case .jobLastSuccess: "When a set was last published."
        case .jobJournalEntries: "Entries of the undo journal and beside it, by what they wait for."
        case .setBytes: "Size of the last published set."
        case .setFiles: "Files of the last published set, with its manifest and lists."
        case .setReusedBytes: "Bytes of that set that had not changed and were linked to the set before."
        default: nil
        }
    }

    private var helpOfDump: String? {
        switch self {
        case .dumpInfo: "The provider of the dump. Always 1."
        case .dumpLastAttempt: "When the newest run that reached this dump began."
        case .dumpLastAttemptSuccess: "1 if that run took this dump."
        case .dumpLastSuccess: "When a set with this dump was last published."
        case .dumpDuration: "How long the dump in that set took."
        case .dumpBytes: "Its size."
        case .dumpFiles: "Its files."
        case .dumpRows: "Rows of all its tables. Absent if it has no tables."
        case .dumpWarnings: "Warnings of the last attempt, omissions aside."
        case .dumpOmissions: "What the last attempt left out although it is in the source, by its code."
        case .dumpConsistency: "1 for how consistent the dump in the last set is, 0 for the other kinds."
        case .dumpConsistencyWindow:
            "Time between the first and the last instant that the dump shows. 0 if there is one."
        case .dumpReplayPaused: "How long replay on the standby was paused for the dump."
        case .databaseLastSuccess: "When a set with this database was last published."
        case .databaseBytes: "Size of its dump. Absent where databases share a file."
        case .databaseRows: "Rows of all tables of the database."
        case .databaseTables: "Tables of the database."
        default: nil
        }
    }

    private var helpOfRepository: String? {
        switch self {
        case .repositoryLastAttempt: "When the newest run that reached this repository began."
        case .repositoryLastAttemptSuccess: "1 if that run made and confirmed an archive."
        case .repositoryLastSuccess: "When an archive in the repository was last confirmed."
        case .repositoryAlertAfter: "How old the last confirmed archive may become."
        case .repositoryArchives: "Archives of the job that count as confirmed."
        case .repositoryArchiveDuration: "How long the last good archive took, with its confirmation and upkeep."
        case .repositoryConfirmationDuration: "How long it took to compare that archive with the set."
        case .repositoryStoredBytes: "New bytes in the repository by that archive, deduplicated and compressed."
        case .repositoryUpkeepSuccess: "1 if pruning, compacting and checking after that archive succeeded."
        case .repositoryFreedBytes: "Roughly what compacting freed after that archive."
        case .repositoryLastCheck: "When the last check of the repository that found no damage began."
        case .repositoryLastDataVerification: "When the last such check that read all data began."
        default: nil
        }
    }

    private var helpOfDrill: String? {
        switch self {
        case .drillLast: "When the last drill ended."
        case .drillLastSuccess: "1 if it proved what it tried."
        case .drillLastOutcome: "1 for the outcome of the last drill, 0 for the other outcomes."
        case .drillLastDuration: "How long the last drill took."
        case .drillLastProven: "When a drill last proved that all or a part of a set can be restored."
        case .drillRestoreDuration:
            "How long the last drill that restored all of a set took: the time to expect of a restore."
        case .drillAlertAfter: "How old the last proof may become."
        case .drillDumpSuccess: "1 if the last drill proved this dump."
        case .drillDumpDuration: "How long the last drill took to restore this dump."
        default: nil
        }
    }
}
