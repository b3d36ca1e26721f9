import DumpCore
import Jobs
import Processes
import Reporting

extension Delivery {
    /// Carries the notice to its receiver. Returns why it did not arrive, or nil.
    func carry(by runner: ProgramRunner) async -> (any OperatorError)? {
        let delivery = self
        do {
            let ended = try await withDeadline(receiver.deadline) {
                try await delivery.carryAtOnce(by: runner)
                return true
            }
            guard ended == nil else { return nil }
            return NoticeError(
                .tooSlow, "it did not answer within \(receiver.deadline.settingsText)",
                hint: "Raise deadline of '\(receiver.name)' below notify: if it needs longer.")
        } catch {
            return error.forOperator
        }
    }

    private func carryAtOnce(by runner: ProgramRunner) async throws {
        if let settings = receiver.healthchecks {
            try await request(toCheck: settings, runner).send(by: runner, within: receiver.deadline)
        } else if let settings = receiver.http {
            try await request(to: settings, runner).send(by: runner, within: receiver.deadline)
        } else if let settings = receiver.apprise {
            try await run(apprise(settings), runner)
        } else if let command = receiver.command {
            try await run(program(command), runner)
        }
    }

    private func secret(_ source: SecretSource, _ what: String, _ runner: ProgramRunner) async throws -> Secret {
        try await source.resolve(for: "\(what) of receiver '\(receiver.name)'", runner: runner)
    }
}

// MARK: Requests

extension Delivery {
    private func request(
        toCheck settings: Job.Receiver.Healthchecks, _ runner: ProgramRunner
    ) async throws -> HTTPRequest {
        let url = try await secret(settings.url, "the URL", runner)
        return HTTPRequest(
            method: "POST", url: Secret(try PingURL(url.reveal()).text(for: notice)),
            headers: [("Content-Type", Secret("text/plain; charset=utf-8"))], body: PingURL.body(of: notice))
    }

    private func request(to settings: Job.Receiver.HTTP, _ runner: ProgramRunner) async throws -> HTTPRequest {
        var headers: [(name: String, value: Secret)] = []
        for header in settings.headers {
            switch header.value {
            case .text(let template):
                headers.append((header.name, Secret(template.filled { notice.value($0).onOneLine })))
            case .secret(let source):
                headers.append((header.name, try await secret(source, "the header \(header.name)", runner)))
            }
        }
        let body = try body(settings)
        if body != nil, !headers.contains(where: { $0.name.lowercased() == "content-type" }) {
            headers.append(("Content-Type", Secret("application/json")))
        }
        let url = try await secret(settings.url, "the URL", runner)
        return HTTPRequest(method: settings.method.rawValue, url: url, headers: headers, body: body)
    }

    private func body(_ settings: Job.Receiver.HTTP) throws -> [UInt8]? {
        guard settings.method != .get else { return nil }
        guard let template = settings.body else { return try notice.encoded() }
        let form = NoticeBodyForm(contentType: settings.contentType)
        return Array(template.filled { form.escaped(notice.value($0)) }.utf8)
    }
}

// MARK: Programs

extension Delivery {
    private func apprise(_ settings: Job.Receiver.Apprise) throws(ProcessError) -> Program {
        var program = try Program(
            Executables.find("apprise"),
            [
                "--config", settings.config.string, "--title", notice.subject, "--notification-type",
                notice.event.appriseType,
            ],
            inheritedPrefixes: HTTPRequest.proxyVariables, grace: .seconds(1))
        // It shows an address that it cannot read.
        program.repeatsSecrets = true
        return program
    }

    private func program(_ words: [String]) throws(ProcessError) -> Program {
        var program = try Program(Executables.find(words[0]), Array(words.dropFirst()))
        program.environment = [
            "MUSTER_EVENT": notice.event.rawValue, "MUSTER_TOPIC": notice.topic.rawValue, "MUSTER_JOB": notice.job,
            "MUSTER_COMMAND": notice.command, "MUSTER_RUN": notice.runID.description, "MUSTER_SUBJECT": notice.subject,
        ]
        program.environment["MUSTER_OUTCOME"] = notice.outcome
        program.environment["MUSTER_EXIT_STATUS"] = notice.exitStatus.map { "\($0)" }
        program.environment["MUSTER_REPORT"] = notice.report?.string
        program.grace = .seconds(1)
        return program
    }

    private func run(_ program: Program, _ runner: ProgramRunner) async throws {
        let text = notice.text.isEmpty ? notice.subject : notice.text
        let outcome = try await runner.run(program, reading: Array((text + "\n").utf8))
        guard !outcome.succeeded else { return }
        let said = program.repeatsSecrets ? "" : outcome.lastErrors
        throw NoticeError(
            .programFailed, "\(program.name) \(outcome.status)",
            hint: "Run \(program.name) by hand, and try it again with muster notify \(notice.job).",
            context: said.isEmpty ? [:] : ["stderr": said])
    }
}

extension NoticeEvent {
    fileprivate var appriseType: String {
        switch self {
        case .failure: "failure"
        case .interruption: "warning"
        case .success, .recovery: "success"
        case .start, .test: "info"
        }
    }
}
