import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("A program of somebody else's on the published set")
struct WithLockTests {
    @Test("finds the set, and its arguments, input, directory and environment as they were given to muster")
    func untouched() async throws {
        try await TestHost.withSet { host in
            let script = """
                echo set=$MUSTER_SET mine=$MINE "$@"; pwd; cat; cat $MUSTER_SET/manifest.json | wc -l
                umask; chrt -p $$ | head -1; sed -nE 's/^(SigBlk|SigIgn):.*(.{8})$/\\1 \\2/p' /proc/self/status; echo oops >&2
                """
            // Signals 1 to 32 alone: glibc keeps 32 and 33 for itself. They are read by sed, because a shell that waits blocks all signals
            // for a moment.
            let with = try await host.shell(
                "cd /usr; umask 027; trap '' HUP; echo in | \(musterExecutable) with-lock --config \(host.jobFile) -- sh -c \"$0\" x 'a b'",
                script)
            let without = try await host.shell(
                "cd /usr; umask 027; trap '' HUP; export MUSTER_SET=\(host.current); echo in | sh -c \"$0\" x 'a b'",
                script)
            #expect(with.status == .exited(0), "\(with.errors)")
            #expect(without.status == .exited(0), "\(without.errors)")
            #expect(with.output.contains("set=\(host.current) mine=yes a b\n/usr\nin\n"), "\(with.output)")
            #expect(with.output.withoutPids == without.output.withoutPids)
            #expect(with.errors == "oops\n")
        }
    }

    @Test("has the terminal")
    func terminal() async throws {
        try await TestHost.withSet { host in
            let inside =
                "\(musterExecutable) with-lock --config \(host.jobFile) -- sh -c 'test -t 0 && test -t 1 && test -t 2'"
            let result = try await host.shell("script -qec \"$0\" /dev/null", inside)
            #expect(result.status == .exited(0), "\(result.output) \(result.errors)")
        }
    }

    @Test("ends with its own status and by its own signal")
    func status() async throws {
        try await TestHost.withSet { host in
            #expect(try await host.muster("with-lock", "--", "sh", "-c", "exit 42").status == .exited(42))
            #expect(try await host.muster("with-lock", "--", "sh", "-c", "kill -KILL $$").status == .signaled(SIGKILL))
            let running = try host.reader("trap 'exit 9' TERM; touch $READY; while :; do sleep 0.05; done")
            try await eventually { access(host.ready.string, F_OK) == 0 }
            running.send(SIGTERM)
            #expect(try await running.result().status == .exited(9), "a signal goes to the command itself")
        }
    }

    @Test(
        "that cannot be started is an error of the command line, as is none at all",
        arguments: [["no-such-program"], ["/etc/passwd"], []])
    func noProgram(command: [String]) async throws {
        try await TestHost.withSet { host in
            let result = try await host.start(["with-lock", "--"] + command).result()
            #expect(result.status == .exited(64))
            #expect(
                result.errors.contains(command.first.map { "cannot start \($0): " } ?? "which command?"),
                "\(result.errors)")
        }
    }

    @Test("keeps a run out, which says who reads, until the last child has ended, even after SIGKILL and muster status")
    func keepsRunsOut() async throws {
        try await TestHost.withSet { host in
            let before = try host.currentFingerprint()
            let running = try host.reader("sh -c 'touch $READY; until [ -e $DONE ]; do sleep 0.05; done' & wait")
            try await eventually { access(host.ready.string, F_OK) == 0 }
            #expect(try await host.muster("status").status == .exited(0))
            let dump = try await host.muster("dump")
            #expect(dump.status == .exited(6))
            #expect(
                dump.errors.contains("is being read by 'muster with-lock nightly -- sh' (pid \(running.pid)) since "),
                "\(dump.errors)")
            let other = try await host.muster("with-lock", "--", "true")
            #expect(other.status == .exited(0), "several may read: \(other.errors)")

            running.send(SIGKILL)
            #expect(try await running.result().status == .signaled(SIGKILL))
            let orphaned = try await host.muster("dump")
            #expect(orphaned.status == .exited(6), "its child reads on")
            #expect(orphaned.errors.contains("fuser -v \(host.staging)/lock"), "\(orphaned.errors)")
            #expect(try host.currentFingerprint() == before)
            try write("", to: host.done)
            try await eventually { try await host.muster("dump").status == .exited(0) }
        }
    }

    @Test("waits for a run to end; one that holds the lock for longer keeps it from starting, with 6")
    func waits() async throws {
        try await TestHost.withSet { host in
            let run = try host.start(["dump"], environment: ["MUSTER_STOP_AT": "dumped"])
            try #require(await run.stopped())
            let refused = try await host.muster("with-lock", "--wait", "0", "--", "echo", "started")
            #expect(refused.status == .exited(6))
            #expect(refused.output == "")
            #expect(refused.errors.contains("is in use by 'muster dump nightly' (pid \(run.pid))"), "\(refused.errors)")
            #expect(try await host.muster("with-lock", "--wait", "200ms", "--", "echo").status == .exited(6))

            let waiting = try host.start(["with-lock", "--", "cat", "\(host.current)/manifest.json"])
            let interrupted = try host.start(["with-lock", "--", "echo", "started"])
            for command in [waiting, interrupted] {
                try await eventually { try command.errorsSoFar().contains("waiting") }
            }
            interrupted.send(SIGTERM)
            let end = try await interrupted.result()
            #expect(end.status == .exited(143))
            #expect(end.output == "")
            run.send(SIGCONT)
            #expect(try await run.result().status == .exited(0))
            let result = try await waiting.result()
            #expect(result.status == .exited(0), "\(result.errors)")
            #expect(try result.output == read(host.current.appending("manifest.json")), "it reads the new set")
        }
    }

    @Test("reads where it may not write, as under ProtectSystem=strict")
    func readOnly() async throws {
        try await TestHost.withSet { host in
            let result = try await host.shell(
                "exec unshare --mount sh -c \"$0\"",
                """
                mount --bind \(host.staging) \(host.staging) && mount -o remount,ro,bind \(host.staging) || exit 99
                exec \(musterExecutable) with-lock --config \(host.jobFile) -- \
                    sh -c '! touch $MUSTER_SET/x 2>/dev/null && ! flock --nonblock --exclusive \(host.staging)/lock true && exit 9'
                """)
            #expect(result.status == .exited(9), "\(result.errors)")
        }
    }
}

@Suite("A program of somebody else's is not started")
struct WithLockRefusalTests {
    @Test("without a set")
    func noSet() async throws {
        try await TestHost.withFiles { host in
            try await host.expectRefusal(3, "no set has been published in \(host.staging)")
            #expect(access(host.staging.string, F_OK) != 0, "nothing is made")
            try await host.failDump()
            try await host.expectRefusal(3, "no set has been published in \(host.staging)")
        }
    }

    @Test("after a run whose dump failed; a new set is read again")
    func dumpFailed() async throws {
        try await TestHost.withSet { host in
            try await host.failDump()
            try await host.expectRefusal(3, "the last run that dumps ended with status 3", "nowhere")
            // A run that only archives is no news of the dumps.
            #expect(try await host.muster("archive").status == .exited(0))
            try await host.expectRefusal(3, "the last run that dumps ended with status 3")
            #expect(try await host.muster("dump").status == .exited(0))
            try await host.expectStart()
        }
    }

    @Test(
        "after a run that was ended before it published; one that had published is no reason",
        arguments: [SIGTERM, SIGKILL], ["prepared", "sealed", "published", "begun"])
    func ended(signal: Int32, at point: String) async throws {
        try await TestHost.withSet { host in
            let before = try host.currentFingerprint()
            let run = try host.start(["run"], environment: ["MUSTER_STOP_AT": point])
            try #require(await run.stopped())
            run.send(signal)
            run.send(SIGCONT)
            _ = try await run.result()
            // One that gets SIGTERM as it is about to publish may still do so.
            if try host.currentFingerprint() != before { return try await host.expectStart() }
            #expect(["prepared", "sealed"].contains(point))
            let how = signal == SIGKILL ? "was killed" : "ended with status 143"
            try await host.expectRefusal(3, "the last run that dumps \(how)")
        }
    }

    @Test("but is, after a run in which only Borg failed")
    func borgFailed() async throws {
        try await TestHost.withSet { host in
            let good = host.job
            host.job.passphraseFile = "/nowhere"
            #expect(try await host.muster("run").status == .exited(4))
            host.job = good
            try await host.expectStart()
        }
    }

    @Test("on a set that is older than max_age, of which the option is the one that counts")
    func tooOld() async throws {
        try await TestHost.withSet { host in
            try await host.expectRefusal(3, "is older than max_age allows", options: ["--max-age", "1ms"])
            host.job.lines.append("max_age: 1s")
            try await Task.sleep(for: .seconds(1))
            try await host.expectRefusal(3, "is older than max_age allows: it holds what was there at ")
            try await host.expectStart(options: ["--max-age", "1d"])
            let usage = try await host.muster("with-lock", "--max-age", "soon", "--", "true")
            #expect(usage.status == .exited(64), "\(usage.errors)")
        }
    }

    @Test("on a set that is dated in the future, if its age matters")
    func future() async throws {
        try await TestHost.withSet { host in
            let manifest = host.current.appending("manifest.json")
            let text = try read(manifest)
            let year = try #require(text.firstMatch(of: /"from" : "(20\d\d)/)).output.1
            try write(text.replacing("\"from\" : \"\(year)", with: "\"from\" : \"2999"), to: manifest)
            try await host.expectStart()
            try await host.expectRefusal(3, "is dated in the future", options: ["--max-age", "1d"])
        }
    }

    @Test("on a set that is not what was sealed")
    func damaged() async throws {
        try await TestHost.withSet { host in
            try write("near\n", to: host.current.appending("app/tree/letter"))
            try await host.expectRefusal(5, "is not what was sealed: app/tree/letter: ")
        }
    }
}

extension TestHost {
    fileprivate static func withSet(_ body: (inout TestHost) async throws -> Void) async throws {
        try await withFiles { host in
            host.environment["READY"] = host.ready.string
            host.environment["DONE"] = host.done.string
            let dump = try await host.muster("dump")
            try #require(dump.status == .exited(0), "\(dump.errors)")
            try await body(&host)
        }
    }

    fileprivate var ready: FilePath { scratch.appending("ready") }
    fileprivate var done: FilePath { scratch.appending("done") }

    /// A shell script, its `$0` the second one.
    fileprivate func shell(_ script: String, _ zero: String) async throws -> Command.Result {
        try await command("/bin/sh", "-c", script, zero, environment: ["MINE": "yes"])
    }

    /// A shell script that runs under the lock.
    fileprivate func reader(_ script: String) throws -> Command { try start(["with-lock", "--", "sh", "-c", script]) }

    /// A run that fails at its dump.
    fileprivate mutating func failDump() async throws {
        let good = job
        job.directory += "-nowhere"
        #expect(try await muster("dump").status == .exited(3))
        job = good
    }

    fileprivate func expectRefusal(
        _ status: Int32, _ messages: String..., options: [String] = [],
        sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let result = try await start(["with-lock"] + options + ["--", "echo", "started"]).result()
        #expect(result.status == .exited(status), "\(result.errors)", sourceLocation: sourceLocation)
        #expect(result.output == "", sourceLocation: sourceLocation)
        for message in messages {
            #expect(result.errors.contains(message), "\(result.errors)", sourceLocation: sourceLocation)
        }
        #expect(result.errors.hasPrefix("muster: "), "\(result.errors)", sourceLocation: sourceLocation)
    }

    fileprivate func expectStart(
        options: [String] = [], sourceLocation: SourceLocation = #_sourceLocation
    ) async throws {
        let result = try await start(["with-lock"] + options + ["--", "echo", "started"]).result()
        #expect(result.status == .exited(0), "\(result.errors)", sourceLocation: sourceLocation)
        #expect(result.output == "started\n", sourceLocation: sourceLocation)
    }
}

extension String {
    /// `chrt` names the process.
    fileprivate var withoutPids: String { replacing(/pid \d+/, with: "pid N") }
}
