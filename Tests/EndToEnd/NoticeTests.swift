import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("Notices")
struct NoticeTests {
    /// A job with a check, a chat and a program as receivers. Their URLs have a token in them.
    private func withReceivers(_ body: (inout TestHost, HTTPReceiver) async throws -> Void) async throws {
        try await TestHost.withFiles { host in
            let scratch = host.scratch
            try await HTTPReceiver.with(in: scratch) { server in
                try write("\(server.url("ok/check-\(Self.token)"))\n", to: scratch.appending("check-url"))
                try write("\(server.url("ok/chat-\(Self.token)"))\n", to: scratch.appending("chat-url"))
                try write("Bearer \(Self.token)\n", to: scratch.appending("chat-header"))
                host.job.lines += [
                    "notify:", "  check: {deadline: 5m, healthchecks: {url: {file: \(scratch)/check-url}}}", "  chat:",
                    "    deadline: 5m", "    http:",
                    "      url: {command: cat \(scratch)/chat-url}",
                    "      headers: {Authorization: {file: \(scratch)/chat-header}}",
                    "      body: '{\"text\": \"{event}: {error.message}\"}'",
                    "  program: {deadline: 5m, command: [/bin/sh, -c, 'cat \"$MUSTER_REPORT\" > \(scratch)/$MUSTER_EVENT.json']}",
                ]
                try await body(&host, server)
            }
        }
    }

    private static let token = "Nz5-token"

    /// The words that end the paths of pings.
    private func pings(_ server: HTTPReceiver) throws -> [String] {
        try server.requests().filter { $0.path.contains("check-") }.map { request in
            String(request.path.split(separator: "?")[0].split(separator: "/").last ?? "")
        }
    }

    @Test("of three failing runs are one and, with the next good one, another; a check hears of each. No URL is seen.")
    func incident() async throws {
        try await withReceivers { host, server in
            let away = host.scratch.appending("away")
            try FileSystem.rename(host.source, to: away)
            let watch = try SecretWatch(for: [Self.token])
            var said = ""
            for count in 1...3 {
                let run = try await host.muster("dump", "-vv", "--json")
                #expect(run.status == .exited(3), "\(run.errors)")
                said += run.output + run.errors
                let told = try await host.value(
                    "[(n['receiver'], n['event'], n['reached']) for n in d['notices']]", of: run.output)
                let more = count == 1 ? ", ('chat', 'failure', True), ('program', 'failure', True)" : ""
                #expect(told == "[('check', 'start', True), ('check', 'failure', True)\(more)]")
            }
            try FileSystem.rename(away, to: host.source)
            for _ in 1...2 {
                let run = try await host.muster("dump", "-vv")
                #expect(run.status == .exited(0), "\(run.errors)")
                said += run.output + run.errors
            }
            #expect(watch.end().isEmpty)
            #expect(said.contains("curl") && !said.contains(Self.token))
            let check = "check-\(Self.token)"
            #expect(
                try pings(server) == [
                    "start", "fail", "start", "fail", "start", "fail", "start", check, "start", check,
                ])
            let rids = try server.requests().filter { $0.path.contains("check-") }.map(\.path).map {
                $0.split(separator: "=").last
            }
            #expect(Set(rids).count == 5)
            try #require(rids.count >= 10)
            for first in stride(from: 0, to: 10, by: 2) { #expect(rids[first] == rids[first + 1]) }
            let texts = try server.bodies("ok/chat").map { try JSONTree($0)["text"]?.text ?? "" }
            #expect(
                texts.count == 2 && texts[0].hasPrefix("failure: ") && texts[0].contains("\(host.source)"), "\(texts)")
            #expect(texts.last == "recovery: ")
            #expect(
                try server.requests().first { $0.path.contains("chat") }?.headers["authorization"]
                    == "Bearer \(Self.token)")
            #expect(try JSONTree(read(host.scratch.appending("failure.json")))["outcome"] == .text("failed"))
            #expect(try JSONTree(read(host.scratch.appending("recovery.json")))["outcome"] == .text("done"))
            let theirs = ["chat-header", "chat-url", "check-url"].map { "\(host.scratch)/\($0)" }
            let found = try await host.filesHolding([Self.token]).filter { !$0.contains("/receiver-") }
            #expect(found == theirs)
        }
    }

    @Test("that a killed run had not noted are sent again by the next one, and then no more")
    func killed() async throws {
        try await withReceivers { host, server in
            try FileSystem.rename(host.source, to: host.scratch.appending("away"))
            for (point, count) in [("notices", 0), ("told", 1)] {
                let run = try host.start(["dump"], environment: ["MUSTER_STOP_AT": point])
                // The start of the check comes by there first.
                try #require(await run.stopped())
                run.send(SIGCONT)
                try #require(await run.stopped())
                run.send(SIGKILL)
                _ = try await run.result()
                #expect(try server.bodies("ok/chat").count == count, "\(point)")
            }
            for _ in 1...2 {
                #expect(try await host.muster("dump").status == .exited(3))
                #expect(try server.bodies("ok/chat").count == 2)
            }
        }
    }

    @Test("that do not arrive leave a run as good as it is, are warned of, and are in its report")
    func unreached() async throws {
        try await withReceivers { host, server in
            try write(server.url("refuse/x") + "\n", to: host.scratch.appending("check-url"))
            let run = try await host.muster("run", "--json")
            #expect(run.status == .exited(0), "\(run.errors)")
            #expect(run.errors.contains("receiver 'check' was not reached: it answered 500"), "\(run.errors)")
            #expect(
                try await host.value(
                    "d['outcome'], [(n['event'], n['reached'], n['error']['code']) for n in d['notices']]",
                    of: run.output)
                    == "('done', [('start', False, 'receiver_refused'), ('success', False, 'receiver_refused')])")
            let written = try await host.mustSucceed("status", "--json")
            #expect(try await host.value("len(d['runs'][0]['notices'])", of: written) == "2")
        }
    }

    @Test("of an interrupted run open no incident, and a check logs it")
    func interrupted() async throws {
        try await withReceivers { host, server in
            // Early enough that the run does not end before it notices the signal.
            let run = try host.start(["dump"], environment: ["MUSTER_STOP_AT": "prepared"])
            try #require(await run.stopped())
            run.send(SIGTERM)
            run.send(SIGCONT)
            #expect(try await run.result().status == .exited(143))
            #expect(try pings(server) == ["start", "log"])
            #expect(try server.bodies("ok/chat").isEmpty)
        }
    }

    @Test("of checks and drills open incidents of their own; a run has none of it")
    func checksAndDrills() async throws {
        try await withReceivers { host, server in
            let events = { try server.bodies("ok/chat").map { try JSONTree($0)["text"]?.text ?? "" } }
            #expect(try await host.muster("drill").status == .exited(7))
            #expect(try events().last?.hasPrefix("failure: ") == true)
            try await host.mustSucceed("run")
            #expect(try events().count == 1)
            try await host.mustSucceed("drill")
            #expect(try events().dropFirst() == ["recovery: "])
            try await host.mustSucceed("check-repository")
            let away = host.scratch.appending("repository-away")
            try FileSystem.rename(host.repository, to: away)
            for _ in 1...2 { #expect(try await host.muster("check-repository").status == .exited(4)) }
            try FileSystem.rename(away, to: host.repository)
            try await host.mustSucceed("check-repository")
            let told = try events()
            #expect(told.count == 4 && told[2].hasPrefix("failure: repository local: "), "\(told)")
            #expect(try pings(server).count == 2, "of the run alone")
        }
    }

    @Test("are tried by 'notify': over TLS with a certificate that is trusted, and by a proxy")
    func trial() async throws {
        try await TestHost.withFiles(hasRepository: false) { host in
            let scratch = host.scratch
            try await HTTPReceiver.with(in: scratch, isSecure: true) { secure in
                try await HTTPReceiver.with(in: scratch) { proxy in
                    try write(secure.url("ok/secure"), to: scratch.appending("secure-url"))
                    try write("http://behind.invalid/ok/proxied", to: scratch.appending("proxied-url"))
                    host.job.lines += [
                        "notify:", "  secure: {http: {url: {file: \(scratch)/secure-url}}}",
                        "  proxied: {http: {url: {file: \(scratch)/proxied-url}}}",
                    ]
                    let refused = try await host.muster("notify")
                    #expect(refused.status == .exited(1))
                    #expect(refused.output == "secure: not reached\nproxied: not reached\n")
                    #expect(
                        refused.errors.contains("receiver 'secure' was not reached: its certificate is not trusted"))
                    // What root's own configuration says is not asked.
                    try write("output = \"\(scratch)/curlrc-was-read\"\nlocation\n", to: scratch.appending(".curlrc"))
                    let environment = [
                        "CURL_CA_BUNDLE": secure.certificate.string, "http_proxy": "http://127.0.0.1:\(proxy.port)",
                    ]
                    let reached = try await host.muster("notify", "--json", environment: environment)
                    #expect(reached.status == .exited(0), "\(reached.errors)")
                    #expect(
                        try await host.value(
                            "[(n['receiver'], n['event'], n['reached']) for n in d['receivers']]", of: reached.output)
                            == "[('secure', 'test', True), ('proxied', 'test', True)]")
                    #expect(try proxy.requests().map(\.path) == ["http://behind.invalid/ok/proxied"])
                    #expect(try secure.requests().count == 1)
                    #expect(access("\(scratch)/curlrc-was-read", F_OK) != 0)
                    let one = try await host.muster("notify", "--receiver", "proxied", environment: environment)
                    #expect(one.output == "proxied: reached\n")
                    #expect(try await host.muster("notify", "--receiver", "proxy").status == .exited(64))
                }
            }
        }
    }

    @Test("of a unit that failed are sent by 'failed', unless its run has said so itself")
    func failedUnit() async throws {
        try await withReceivers { host, server in
            func failed(_ unit: String, _ invocation: String) async throws {
                let result = try await host.muster(
                    "failed",
                    environment: [
                        "MONITOR_UNIT": "\(unit).service", "MONITOR_SERVICE_RESULT": "timeout",
                        "MONITOR_INVOCATION_ID": invocation,
                    ])
                #expect(result.status == .exited(0), "\(result.errors)")
            }
            let count = { try server.bodies("ok/chat").count }
            host.job.lines.append("hooks: {on_failure: [/bin/sh, -c, 'echo x >> \(host.scratch)/hooked']}")
            let lines = host.scratch.appending("hooked")
            let hooked = { (try? read(lines).count / 2) ?? 0 }
            try FileSystem.rename(host.source, to: host.scratch.appending("away"))
            #expect(try await host.muster("dump", environment: ["INVOCATION_ID": "a1"]).status == .exited(3))
            try await failed("muster-dump@nightly", "a1")
            #expect(try count() == 1 && hooked() == 1)
            #expect(try pings(server) == ["start", "fail"])
            // This one could not begin.
            try await failed("muster-dump@nightly", "b2")
            #expect(try count() == 1 && hooked() == 2)
            #expect(try pings(server) == ["start", "fail", "fail"])
            for _ in 1...2 { try await failed("muster-drill@nightly", "c3") }
            #expect(try count() == 2)
            for _ in 1...2 { try await failed("borg-of-mine", "d4") }
            #expect(try count() == 4)
            #expect(try server.bodies("ok/chat").last?.contains("failure") == true)
        }
    }
}
