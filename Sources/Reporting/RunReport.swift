import DumpCore
import Linux

/// The outcome of one run, as data: `runs/<run-id>.json`, and what `--json` prints. Key names in snake case.
public struct RunReport: Sendable, Codable {
    public enum Outcome: String, Sendable, Codable {
        case done, failed, interrupted
        /// The run has not ended, as far as it could write that down.
        case running
        /// It was killed, or its host was. Never in a report's file, which a dead run cannot change.
        case noResult = "no_result"
    }

    /// Which part of the story a run tells.
    public enum Part: String, Sendable {
        /// Everything: dump, publish, archive.
        case run
        /// Up to the published set.
        case dump
        /// From the published set on.
        case archive
    }

    /// What a run does while it has no result.
    public enum Stage: String, Sendable, Codable, CaseIterable { case prepare, dump, seal, archive }

    public var formatVersion = 1
    public var tool: Manifest.Tool
    public var command: String
    public var job: String
    public var runID: RunID
    public var host: String
    public var startedAt: Timestamp
    /// For a run without a result: its last sign of life.
    public var endedAt: Timestamp
    public var outcome = Outcome.running
    /// Nil without a result.
    public var exitStatus: Int32?
    /// What it does, and the process that does it. Nil once there is a result.
    public var stage: Stage?
    public var process: ProcessIdentity?
    /// How long each stage took that is over. Nil in reports of before that was measured, and of a dump by hand.
    public var stages: StageTimes?
    /// When its set was published; nil if none was.
    public var publishedAt: Timestamp?
    public var error: ErrorRecord?
    /// What went wrong beside the dumps and archives, and stopped nothing. Nil if nothing did.
    public var findings: [Finding]?
    /// How many times the dumps were begun.
    public var attempts = 1
    /// In the order of the job file.
    public var dumps: [DumpRecord] = []
    /// The set that was published, or archived if the run only archived.
    public var set: SetRecord?
    public var archives: [ArchiveRecord] = []
    /// Whether the operator said that the sizes of this run are right; the sizes of runs before it are no longer a measure.
    public var sizesAccepted: Bool?
    /// The operator's programs that were run, in their order; nil if there were none.
    public var hooks: [HookRecord]?
    /// Which receivers were reached, and which were not; nil if none was due a notice.
    public var notices: [NoticeRecord]?
    /// What systemd calls this start of the unit; nil outside one.
    public var invocationID: String?

    public init(tool: Manifest.Tool, command: String, job: String, runID: RunID, host: String, startedAt: Timestamp) {
        self.tool = tool
        self.command = command
        self.job = job
        self.runID = runID
        self.host = host
        self.startedAt = startedAt
        self.endedAt = startedAt
        process = .current
    }
}

extension RunReport.DumpRecord {
    /// What was found of its source, and what it leaves out.
    public var remarks: [Finding] { findings + omissions }
}

extension RunReport {
    /// What is more than a note, of all dumps.
    public var warnings: [Finding] { dumps.flatMap(\.remarks).filter { $0.severity != .note } }
}

extension RunReport {
    /// A run that came to its end, with what went wrong, if anything, as an error that can be shown.
    public struct Ended: Sendable {
        public var report: RunReport
        public var failure: RunFailure?

        public init(report: RunReport, failure: RunFailure?) {
            self.report = report
            self.failure = failure
        }
    }

    /// The report as it is to be read now: a run that was killed never writes down its end.
    var asOfNow: RunReport {
        guard outcome == .running, process?.isAlive != true else { return self }
        var report = self
        report.outcome = .noResult
        return report
    }

    /// Closes the report.
    public mutating func end(with failure: RunFailure?) {
        endedAt = .now
        (stage, process) = (nil, nil)
        error = failure?.error.map(ErrorRecord.init)
        exitStatus = (failure?.exitStatus ?? .done).rawValue
        outcome = Outcome(failure)
    }
}

extension RunReport.Outcome {
    /// The outcome of a run that ended.
    public init(_ failure: RunFailure?) {
        self =
            switch failure {
            case nil: .done
            case .interrupted: .interrupted
            default: .failed
            }
    }
}
