import DumpCore
import Jobs
import Linux
import Logging
import Notices
import Processes
import Reporting
import SystemPackage
import TestSupport

/// A job with a staging area, receivers of the test's choice, and a server to reach them at.
struct NoticeHost: Sendable {
    let scratch: FilePath
    let server: HTTPReceiver
    let log = Recorded<String>()
    var job: Job

    var staging: FilePath { scratch.appending("staging") }

    static func with(_ body: (inout NoticeHost) async throws -> Void) async throws {
        try await Turn.take {
            try await withScratch { scratch in
                try await HTTPReceiver.with(in: scratch) { server in
                    var host = NoticeHost(
                        scratch: scratch, server: server,
                        job: Job(
                            name: "nightly", file: "/etc/muster/nightly.yaml", staging: scratch.appending("staging"),
                            host: "web1", dumps: []))
                    try await body(&host)
                }
            }
        }
    }

    var notices: Notices {
        let log = log
        return Notices(
            of: job, by: ProgramRunner(keeper: keeperExecutable, log: .silent),
            log: Logger(label: "test") { _ in RecordingLog(lines: log) })
    }

    /// A file that holds a secret.
    func secret(_ text: String) throws -> SecretSource {
        let path = scratch.appending("secret-\(UInt32.random(in: .min ... .max))")
        try write(text + "\n", to: path)
        return .file(path.string)
    }

    /// Adds a receiver that is reached by HTTP.
    mutating func addHTTP(
        _ name: String, at path: String, _ change: (inout Job.Receiver) throws -> Void = { _ in }
    ) throws {
        try addHTTP(name, atURL: server.url(path), change)
    }

    mutating func addHTTP(
        _ name: String, atURL url: String, _ change: (inout Job.Receiver) throws -> Void = { _ in }
    ) throws {
        var receiver = Job.Receiver()
        receiver.name = name
        var http = Job.Receiver.HTTP()
        http.url = try secret(url)
        http.body = NoticeTemplate("{event} {subject}")
        http.headers = [.init(name: "Content-Type", value: .text(NoticeTemplate("text/plain")))]
        receiver.http = http
        // On a busy machine an answer may take its time.
        receiver.deadline = .seconds(120)
        try change(&receiver)
        job.receivers.append(receiver)
    }

    func notice(_ event: NoticeEvent, _ subject: String, about topic: NoticeTopic = .run) -> Notice {
        Notice(
            event, about: topic, of: job, command: "run", runID: RunID("20261130T020000Z-5f3a")!, subject: subject,
            text: "one\ntwo")
    }

    func fail(_ key: String = "run", by command: String = "run", endedBy: [String]? = nil) async -> [String] {
        var notice = notice(.failure, "\(command) failed")
        notice.command = command
        return await told(notice, IncidentChange(.opened, key, notice, endedBy: endedBy))
    }

    func succeed(_ key: String = "run", by command: String = "run") async -> [String] {
        var notice = notice(.success, "\(command) done")
        notice.command = command
        return await told(notice, IncidentChange(.ended, key, notice))
    }

    /// Such as `phone failure`, and `phone failure receiver_refused` for one that was not reached.
    private func told(_ notice: Notice, _ change: IncidentChange) async -> [String] {
        await notices.tell(notice, [change]).map(\.words)
    }
}

extension RunReport.NoticeRecord {
    var words: String { ([receiver, event] + (error.map { [$0.code] } ?? [])).joined(separator: " ") }
}

/// Keeps what is logged, with the code that it has.
private struct RecordingLog: LogHandler {
    let lines: Recorded<String>
    var metadata: Logger.Metadata = [:]
    var logLevel = Logger.Level.trace

    init(lines: Recorded<String>) { self.lines = lines }

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        lines.append("\(event.metadata?["code"].map { "\($0)" } ?? "") \(event.message)")
    }
}
