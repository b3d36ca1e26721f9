import Documents
import DumpCore
import Jobs
import Reporting
import SystemPackage

/// What the notices of one event say: a subject of one line, a text, and the facts that places in templates stand for.
public struct Notice: Sendable {
    public var event: NoticeEvent
    public var topic: NoticeTopic
    public var job: String
    public var host: String
    /// The word after `muster`, such as `run` or `check-repository`.
    public var command: String
    /// Tells a receiver which start and which end belong together.
    public var runID: RunID
    /// One line, such as `nightly on web1: dump failed`.
    public var subject: String
    /// Several lines, for people.
    public var text: String
    public var outcome: String?
    public var startedAt: Timestamp
    public var endedAt: Timestamp?
    public var exitStatus: Int32?
    public var error: RunReport.ErrorRecord?
    /// Where the report is, if it is on disk.
    public var report: FilePath?

    public init(
        _ event: NoticeEvent, about topic: NoticeTopic, of job: Job, command: String, runID: RunID, subject: String,
        text: String = "", startedAt: Timestamp = .now
    ) {
        (self.event, self.topic, self.command, self.runID) = (event, topic, command, runID)
        (self.job, host) = (job.name, job.hostName)
        self.subject = "\(job.name) on \(job.hostName): \(subject)".onOneLine
        self.text = text.legible
        self.startedAt = startedAt
    }
}

extension Notice {
    /// What a place in a template stands for; empty if that is not known.
    func value(_ field: NoticeTemplate.Field) -> String {
        switch field {
        case .job: job
        case .host: host
        case .command: command
        case .event: event.rawValue
        case .topic: topic.rawValue
        case .subject: subject
        case .text: text
        case .outcome: outcome ?? ""
        case .runID: runID.description
        case .startedAt: startedAt.description
        case .endedAt: endedAt?.description ?? ""
        case .exitStatus: exitStatus.map { "\($0)" } ?? ""
        case .errorCode: error?.code ?? ""
        case .errorMessage: error?.message ?? ""
        case .errorHint: error?.hint ?? ""
        }
    }

    /// The body of a request that has no template.
    struct Document: Encodable {
        var formatVersion = 1
        var event, topic, job, host, command, runID, subject, text: String
        var outcome: String?
        var startedAt: Timestamp
        var endedAt: Timestamp?
        var exitStatus: Int32?
        var error: RunReport.ErrorRecord?
    }

    var document: Document {
        Document(
            event: event.rawValue, topic: topic.rawValue, job: job, host: host, command: command,
            runID: runID.description, subject: subject, text: text, outcome: outcome, startedAt: startedAt,
            endedAt: endedAt, exitStatus: exitStatus, error: error)
    }
}

extension Notice {
    /// The document as the body of a request.
    func encoded() throws -> [UInt8] { try Array(SnakeCaseJSON.line(document).utf8) }
}
