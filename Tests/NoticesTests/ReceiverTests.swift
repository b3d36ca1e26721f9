import DumpCore
import Jobs
import Linux
import Notices
import Processes
import SystemPackage
import TestSupport
import Testing

@Suite("A receiver")
struct ReceiverTests {
    @Test("that is down, slow, redirects, refuses or closes is not reached, and says why without its URL")
    func unreachable() async throws {
        try await NoticeHost.with { host in
            for path in ["refuse", "redirect", "hang", "close"] {
                try host.addHTTP(path, at: "\(path)/token-Tq7") { receiver in
                    if path == "hang" { receiver.deadline = .seconds(1) }
                }
            }
            try host.addHTTP("down", atURL: "http://127.0.0.1:1/token-Tq7")
            try host.addHTTP("nowhere", atURL: "http://token-tq7.invalid/")
            try host.addHTTP("file", atURL: "file:///etc/passwd")
            try host.addHTTP("good", at: "ok/good")
            let told = await host.notices.tell(host.notice(.start, "x"), [])
            #expect(told.isEmpty, "none of them wants to hear of a start")
            #expect(
                await host.fail() == [
                    "refuse failure receiver_refused", "redirect failure receiver_redirects",
                    "hang failure receiver_too_slow", "close failure receiver_not_reached",
                    "down failure receiver_not_reached", "nowhere failure receiver_not_reached",
                    "file failure receiver_not_reached", "good failure",
                ])
            #expect(
                host.log.all.map { $0.split(separator: ": ", maxSplits: 1).last ?? "" } == [
                    "it answered 500", "it answered 302, a redirect, which is not followed",
                    "it did not answer within 1s", "it closed the connection without an answer",
                    "no connection to it could be made", "the name of its host cannot be resolved",
                    "its URL does not begin with http or https",
                ])
            #expect(!host.log.all.joined().lowercased().contains("tq7"))
            #expect(try host.server.bodies("ok").count == 1, "no redirect was followed")
        }
    }

    @Test("is told at the same time as the others")
    func sideBySide() async throws {
        try await NoticeHost.with { host in
            for name in ["one", "two", "three"] { try host.addHTTP(name, at: "barrier/3/\(name)") }
            #expect(await host.fail() == ["one failure", "two failure", "three failure"])
        }
    }

    @Test("of the healthchecks kind hears how each run begins and ends, in pairs, with the first lines of an error")
    func healthchecks() async throws {
        try await NoticeHost.with { host in
            for (name, path) in [("check", "ok/uuid"), ("slug", "ok/key/slug?create=1")] {
                var receiver = Job.Receiver()
                receiver.name = name
                receiver.healthchecks = Job.Receiver.Healthchecks()
                receiver.healthchecks?.url = try host.secret(host.server.url(path))
                host.job.receivers.append(receiver)
            }
            await host.notices.tell(host.notice(.start, "run started"))
            for _ in 1...2 { #expect(await host.fail() == ["check failure", "slug failure"]) }
            #expect(await host.succeed() == ["check success", "slug success"])
            await host.notices.tell(host.notice(.interruption, "run interrupted"))
            #expect(await host.notices.tell(host.notice(.success, "drill done", about: .drill)).isEmpty)
            _ = await host.notices.test(host.notice(.test, "a test notice"), names: ["check"])
            let requests = try host.server.requests()
            let paths = requests.map(\.path)
            let rid = try #require(paths[0].split(separator: "=").last)
            #expect(rid.wholeMatch(of: /[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}/) != nil)
            #expect(
                paths.filter { $0.contains("uuid") }
                    == ["/start", "/fail", "/fail", "", "/log", "/log"].map { "/ok/uuid\($0)?rid=\(rid)" })
            #expect(
                paths.filter { $0.contains("slug") }
                    == ["/start", "/fail", "/fail", "", "/log"].map { "/ok/key/slug\($0)?create=1&rid=\(rid)" })
            #expect(requests.first { $0.path.contains("/fail") }?.body == "nightly on web1: run failed\none\ntwo")
            #expect(requests.allSatisfy { $0.method == "POST" })
        }
    }

    @Test("gets a body whose places are filled in, and whatever is filled in stays a text in it")
    func bodies() async throws {
        try await NoticeHost.with { host in
            let header = try host.secret("Bearer \"a\\b")
            let wild = "say \"hi\" \\ {job}\n\t\u{1}ü 💾 &=+% \r\n</x>"
            for (name, type, body) in [
                (
                    "json", "application/json",
                    #"{"text": "{text}", "of": {"job": "{job}", "none": "{ended_at}"}, "literal": "{}"}"#
                ),
                ("form", "application/x-www-form-urlencoded", "job={job}&text={text}"),
                ("plain", "text/plain", "{job}: {text}"),
            ] {
                try host.addHTTP(name, at: "ok/\(name)") { receiver in
                    receiver.http?.headers = [
                        .init(name: "Content-Type", value: .text(NoticeTemplate(type))),
                        .init(name: "Title", value: .text(NoticeTemplate("{topic}: {text} \"\\"))),
                        .init(name: "Authorization", value: .secret(header)),
                    ]
                    receiver.http?.body = NoticeTemplate(body)
                }
            }
            var notice = host.notice(.failure, "failed")
            notice.text = wild
            await host.notices.tell(nil, [IncidentChange(.opened, "run", notice)])
            let requests = try host.server.requests().sorted { $0.path < $1.path }
            try #require(requests.count == 3)
            #expect(
                requests[0].body.hasPrefix("job=nightly&text=say%20%22hi%22%20%5C%20%7Bjob%7D%0A"),
                "\(requests[0].body)")
            #expect(requests[0].body.hasSuffix("%C3%BC%20%F0%9F%92%BE%20%26%3D%2B%25%20%0D%0A%3C%2Fx%3E"))
            let json = try JSONTree(requests[1].body)
            #expect(
                json["text"] == .text(wild) && json["of"] == .mapping(["job": .text("nightly"), "none": .text("")]))
            #expect(requests[2].body.hasPrefix("nightly: say \"hi\" \\ {job}\n"))
            for request in requests {
                #expect(request.headers["authorization"] == "Bearer \"a\\b")
                #expect(request.headers["title"]?.hasPrefix("run: say \"hi\" \\ {job}\\012") == true)
                #expect(request.headers["x"] == nil && request.method == "POST")
            }
        }
    }

    @Test("without a body gets a document in JSON; with GET, nothing")
    func defaults() async throws {
        try await NoticeHost.with { host in
            try host.addHTTP("document", at: "ok/document") { $0.http = $0.http.map(\.withoutBody) }
            try host.addHTTP("push", at: "ok/push?status=down") { receiver in
                receiver.http = receiver.http.map(\.withoutBody)
                receiver.http?.method = .get
            }
            _ = await host.fail()
            let requests = try host.server.requests().sorted { $0.path < $1.path }
            let document = try JSONTree(requests[0].body)
            #expect(requests[0].headers["content-type"] == "application/json")
            #expect(document["format_version"] == .number(1) && document["job"] == .text("nightly"))
            #expect(document["run_id"] == .text("20261130T020000Z-5f3a") && document["event"] == .text("failure"))
            #expect(requests[1].method == "GET" && requests[1].body == "" && requests[1].path == "/ok/push?status=down")
            #expect(requests[1].headers["content-type"] == nil)
        }
    }

    @Test("by a program reads the text and knows the event, and one that fails or hangs is not reached")
    func programs() async throws {
        try await NoticeHost.with { host in
            let told = host.scratch.appending("told")
            for (name, line) in [
                ("good", "{ cat; env; } > \(told)"), ("bad", "echo no >&2; exit 7"),
                ("slow", "trap '' TERM; sleep 100 & wait; sleep 100"),
            ] {
                var receiver = Job.Receiver()
                (receiver.name, receiver.command) = (name, ["/bin/sh", "-c", line])
                receiver.deadline = name == "slow" ? .seconds(1) : .seconds(60)
                host.job.receivers.append(receiver)
            }
            #expect(
                await host.fail() == [
                    "good failure", "bad failure receiver_program_failed", "slow failure receiver_too_slow",
                ])
            let words = try read(told)
            #expect(words.hasPrefix("one\ntwo"))
            for line in ["MUSTER_EVENT=failure", "MUSTER_JOB=nightly", "MUSTER_SUBJECT=nightly on web1: run failed"] {
                #expect(words.contains("\(line)\n"), "\(words)")
            }
        }
    }

    @Test("by apprise is reached through the services of its own file, and a service that refuses is not")
    func apprise() async throws {
        try await NoticeHost.with { host in
            for path in ["ok", "refuse"] {
                let config = host.scratch.appending("apprise-\(path)")
                try write("json://127.0.0.1:\(host.server.port)/\(path)/token-Ap4\n", to: config)
                var receiver = Job.Receiver()
                (receiver.name, receiver.deadline) = (path, .seconds(300))
                receiver.apprise = Job.Receiver.Apprise()
                receiver.apprise?.config = config
                host.job.receivers.append(receiver)
            }
            #expect(await host.fail() == ["ok failure", "refuse failure receiver_program_failed"])
            let body = try JSONTree(try #require(host.server.bodies("ok").first))
            #expect(body["title"] == .text("nightly on web1: run failed"))
            #expect(body["message"] == .text("one\ntwo") && body["type"] == .text("failure"))
            #expect(!host.log.all.joined().contains("Ap4"))
        }
    }

    @Test("whose secret cannot be read is not reached, and its file is named")
    func noSecret() async throws {
        try await NoticeHost.with { host in
            try host.addHTTP("phone", at: "") { $0.http?.url = .file("/nowhere/url") }
            try host.addHTTP("mail", at: "") { $0.http?.url = .command("sleep 100") }
            host.job.receivers[1].deadline = .seconds(1)
            #expect(await host.fail() == ["phone failure secret_unavailable", "mail failure receiver_too_slow"])
            #expect(
                host.log.all.first?.contains("cannot read the URL of receiver 'phone': /nowhere") == true,
                "\(host.log.all)")
        }
    }
}

extension Job.Receiver.HTTP {
    fileprivate var withoutBody: Self {
        var bare = self
        (bare.body, bare.headers) = (nil, [])
        return bare
    }
}
