import DumpCore
import SystemPackage

extension Job {
    /// One entry under `notify:`.
    public struct Receiver: Sendable, Equatable {
        /// A name of the operator's choice.
        public var name = ""
        /// The way to it: exactly one of these four.
        public var healthchecks: Healthchecks?
        public var http: HTTP?
        public var apprise: Apprise?
        /// A program with its arguments.
        public var command: [String]?
        /// The events it gets. Nil: those that its way suggests, see `hears`.
        public var events: [NoticeEvent]?
        /// What they may be about. Nil: what its way suggests.
        public var topics: [NoticeTopic]?
        /// How long it may take to reach it.
        public var deadline = Duration.seconds(10)

        public init() {}
    }
}

extension Job.Receiver {
    /// A check of healthchecks.io, or of a server of that kind.
    public struct Healthchecks: Sendable, Equatable {
        public var url = SecretSource.file("")

        public init() {}
    }

    /// Any other server that takes a request.
    public struct HTTP: Sendable, Equatable {
        public enum Method: String, Sendable, CaseIterable {
            case post = "POST"
            case put = "PUT"
            case patch = "PATCH"
            case get = "GET"
        }

        public var url = SecretSource.file("")
        public var method = Method.post
        public var headers: [Header] = []
        /// Nil: a document in JSON with all that is known; with GET, nothing.
        public var body: NoticeTemplate?

        public init() {}

        /// What the headers say of the body. Nil: nothing.
        public var contentType: String? {
            headers.first { $0.name.lowercased() == "content-type" }.flatMap { header in
                if case .text(let template) = header.value { template.text } else { nil }
            }
        }
    }

    public struct Header: Sendable, Equatable {
        public enum Value: Sendable, Equatable {
            case text(NoticeTemplate)
            case secret(SecretSource)
        }

        public var name: String
        public var value: Value

        public init(name: String, value: Value) {
            self.name = name
            self.value = value
        }
    }

    /// The program of that name, which knows many services.
    public struct Apprise: Sendable, Equatable {
        /// Its configuration file, which names the services.
        public var config: FilePath = ""

        public init() {}
    }
}

extension Job.Receiver {
    /// Whether it is a dead man's switch, which gets each run, and judges by itself what is an incident.
    public var hearsOfEachRun: Bool { healthchecks != nil }

    /// A check that also got drills would take the success of one for the success of a run: it gets runs alone.
    public func hears(of topic: NoticeTopic) -> Bool {
        (topics ?? (hearsOfEachRun ? [.run] : NoticeTopic.allCases)).contains(topic)
    }

    public func hears(_ event: NoticeEvent) -> Bool {
        let usual: [NoticeEvent] =
            hearsOfEachRun ? [.start, .success, .failure, .interruption] : [.failure, .recovery]
        return event == .test || (events ?? usual).contains(event)
    }

    /// Where its secrets are.
    public var secrets: [SecretSource] {
        let headers = http?.headers.compactMap { header in
            if case .secret(let source) = header.value { source } else { nil }
        }
        return [healthchecks?.url, http?.url].compactMap(\.self) + (headers ?? [])
    }
}
