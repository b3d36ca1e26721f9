import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("The progress of a run")
struct ProgressTests {
    @Test(
        "is events for scripts with --progress json: each unit begins and ends, and the last line is the command's end")
    func events() async throws {
        try await TestHost.with { host in
            host.job.dumpsInitialDatabases = true
            let run = try await host.muster("run", "--progress", "json")
            #expect(run.status == .exited(0), "\(run.errors)")
            let events = try await host.events(of: run)
            let units = ["globals", "library", "postgres", "shop", "template1"]
            for kind in ["began", "ended"] {
                #expect(
                    events.filter { $0.hasPrefix("\(kind) dump app ") }.sorted()
                        == units.map { "\(kind) dump app \($0)" })
            }
            #expect(events.contains("ended archive local"))
            #expect(events.last == "finished 0")
            #expect(run.errors.split(separator: "\n").last?.hasPrefix("{") == true)
        }
    }

    @Test("and of a run that stalls: the lock is what is being waited for, the status is 3, the set is left alone")
    func stalled() async throws {
        try await TestHost.with { host in
            host.job.dumpLines += ["    stall_timeout: 8s"]
            let run = try await host.whileLocking("orders", in: "shop") { [host] in
                try await host.muster("dump", "--progress", "json")
            }
            #expect(run.status == .exited(3), "\(run.errors)")
            #expect(run.errors.contains("\"detail\":\"waiting for a lock\""), "\(run.errors)")
            #expect(run.errors.contains("muster: pg_dump of database 'shop' has not moved for 8s and was stopped"))
            #expect(run.errors.contains("blocked_by: pid "))
            #expect(try await host.events(of: run).last == "finished 3")
            #expect(access(host.current.string, F_OK) != 0)
        }
    }

    @Test(
        "is systemd's status line, at a path and at an abstract socket, whatever else is shown",
        arguments: [true, false])
    func status(isAbstract: Bool) async throws {
        try await TestHost.with { host in
            let path = "\(host.scratch)/notify"
            let socket = try NotifySocket(path, isAbstract: isAbstract)
            let command = try host.start(
                ["run", "--quiet"], environment: ["NOTIFY_SOCKET": (isAbstract ? "@" : "") + path])
            let lines = await socket.received(upTo: "STATUS=done")
            #expect(lines.last == "STATUS=done", "\(lines)")
            let run = try await command.result()
            #expect(run.status == .exited(0), "\(run.errors)")
            // While something moves, the unit has another quarter of an hour.
            let extensions = lines.filter { $0 == "EXTEND_TIMEOUT_USEC=900000000" }
            #expect(
                !extensions.isEmpty && lines.allSatisfy { $0.hasPrefix("STATUS=") || extensions.contains($0) },
                "\(lines)")
            #expect(lines.contains { $0.hasPrefix("STATUS=dump app ") && $0.contains(" of ~") }, "\(lines)")
            // What is found out about this machine's psql is no progress.
            let others = run.errors.split(separator: "\n").filter { !$0.contains("code=psql_unsafe") }
            #expect(others.isEmpty, "\(run.errors)")
        }
    }

    @Test("and no name in it begins an assignment of its own")
    func hostileNames() async throws {
        try await TestHost.with { host in
            let name = "x\r\nMAINPID=1\nREADY=1\n"
            try await host.sql("create database \"\(name)\"", in: "postgres")
            try await host.sql("create table t ()", in: name)
            let path = "\(host.scratch)/notify"
            let socket = try NotifySocket(path, isAbstract: false)
            let messages = Recorded<String>()
            let command = try await host.whileLocking("t", in: name) { [host] in
                let command = try host.start(["dump", "--quiet"], environment: ["NOTIFY_SOCKET": path])
                try await eventually {
                    for message in socket.received() { messages.append(message) }
                    return messages.all.contains { $0.contains(#"x\015\012MAINPID=1\012READY=1\012"#) }
                }
                return command
            }
            #expect(try await command.result().status == .exited(0))
            for message in socket.received() { messages.append(message) }
            #expect(
                messages.all.allSatisfy {
                    ($0.hasPrefix("STATUS=") || $0 == "EXTEND_TIMEOUT_USEC=900000000")
                        && !$0.utf8.contains(UInt8(ascii: "\n"))
                })
        }
    }

    @Test("is drawn on a terminal and taken away again, and on one that cannot draw nothing is")
    func terminal() async throws {
        try await TestHost.with { host in
            let drawn = try await host.onTerminal("xterm", "dump")
            #expect(drawn.contains("app shop"), "\(drawn)")
            // What was drawn last is the erasing of all that was there.
            let last = try #require(drawn.ranges(of: "\u{1B}[?7l").last)
            #expect(drawn[last.lowerBound...].hasPrefix("\u{1B}[?7l\u{1B}[K\u{1B}[C\u{1B}[J\r"), "\(drawn)")
            let plain = try await host.onTerminal("dumb", "dump")
            #expect(!plain.contains("\u{1B}"), "\(plain)")
            // A warning where this machine's psql is not safe, and nowhere else.
            let verdict = plain.contains("CVE-2026-18408") ? "WARNING" : "OK"
            #expect(plain.contains("\(verdict) nightly: 1 dump, ") && !plain.contains("dump finished"), "\(plain)")
        }
    }
}

extension TestHost {
    /// The events of a command, in order, each as its kind and what it is about.
    fileprivate func events(of result: Command.Result) async throws -> [String] {
        let file = scratch.appending("events")
        try write(result.errors, to: file)
        let parsed = try await command(
            "/usr/bin/python3", "-c",
            """
            import json, sys
            for line in open(sys.argv[1]):
                if not line.startswith('{'): continue
                event = json.loads(line)
                assert event['time'].endswith('Z'), line
                if event['event'] == 'finished':
                    print('finished', event['exit_status'])
                else:
                    assert event['bytes'] >= 0, line
                    print(*[event[k] for k in ('event', 'stage', 'dump', 'repository', 'unit') if k in event])
            """, file.string)
        #expect(parsed.errors == "")
        return parsed.output.split(separator: "\n").map(String.init)
    }

    /// What a terminal of that kind is sent by a command.
    fileprivate func onTerminal(_ kind: String, _ arguments: String) async throws -> String {
        let file = scratch.appending("nightly.yaml")
        try write(job.text, to: file)
        let shown = try await command(
            "/usr/bin/script", "-qec", "\(musterExecutable) \(arguments) --config \(file)", "/dev/null",
            environment: ["TERM": kind])
        #expect(shown.status == .exited(0), "\(shown.output)")
        return shown.output
    }
}
