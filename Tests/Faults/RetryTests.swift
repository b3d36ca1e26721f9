import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("A failure that passes")
struct RetryTests {
    @Test("such as a restart of the server makes the run take all dumps anew, as one set")
    func restart() async throws {
        try await TestHost.with { host in
            let run = try await host.runWhileRestarting()
            #expect(run.status == .exited(0), "\(run.errors)")
            #expect(run.errors.contains("taking all dumps again after a transient failure"), "\(run.errors)")
            #expect(run.output.contains("\"attempts\" : 2"), "\(run.output)")
            let verified = try await host.muster("verify")
            #expect(verified.status == .exited(0), "\(verified.errors)")
        }
    }

    @Test("such as a server that is down when the program of another database wants to connect, passes too")
    func restartBeforeConnecting() async throws {
        try await TestHost.with { host in
            host.job.dumpsInitialDatabases = true
            let down = host.scratch.appending("down")
            // Until then, and only until then: what libpq says to a pg_dump whose turn comes in that moment.
            try host.replaceClient(
                "pg_dump",
                """
                if [[ "$*" == *template1* && ! -e \(down) ]]; then
                    until [ -e \(down) ]; do sleep 0.02; done
                    echo 'pg_dump: error: connection to server on socket "/s" failed: No such file or directory' >&2
                    exit 1
                fi
                exec "$real" "$@"
                """)
            let run = try await host.runWhileRestarting(whileDown: { _ in
                try write("", to: down, mode: FilePermissions(rawValue: 0o644))
            })
            #expect(run.status == .exited(0), "\(run.errors)")
            #expect(run.output.contains("\"attempts\" : 2"), "\(run.output)")
        }
    }

    @Test("fails the run when it comes again and again, after as many attempts as the job says")
    func bounded() async throws {
        try await TestHost.with { host in
            host.job.retry = "{times: 2, wait: 100ms}"
            try host.replacePgDump("echo 'pg_dump: error: server closed the connection unexpectedly' >&2; exit 1")
            let run = try await host.muster("run", "--json")
            #expect(run.status == .exited(3), "\(run.errors)")
            #expect(run.output.contains("\"attempts\" : 3"), "\(run.output)")
            #expect(run.errors.contains("server closed the connection unexpectedly"), "\(run.errors)")
            #expect(try FileSystem.names(in: host.staging.appending("incoming")).isEmpty)
        }
    }

    @Test(
        "is not what a failure is that will be there again",
        arguments: ["permission denied for table orders", "something else"])
    func permanent(said: String) async throws {
        try await TestHost.with { host in
            try host.replacePgDump("echo 'pg_dump: error: \(said)' >&2; exit 1")
            let run = try await host.muster("run", "--json")
            #expect(run.status == .exited(3), "\(run.errors)")
            #expect(run.output.contains("\"attempts\" : 1"), "\(run.output)")
        }
    }

    @Test("is known by our own session where nobody understands what pg_dump said")
    func otherLanguage() async throws {
        try await TestHost.with { host in
            host.job.retry = "{times: 1, wait: 100ms}"
            try host.replacePgDump(
                """
                \(PostgreSQLServer.binDirectory)/psql -X -q -h \(host.server.directory) -U postgres -d postgres -c "select \
                pg_terminate_backend(pid) from pg_stat_activity where application_name like 'muster % snapshot'"
                echo 'pg_dump: Fehler: Verbindung beendet' >&2; exit 1
                """)
            let run = try await host.muster("run", "--json")
            #expect(run.status == .exited(3), "\(run.errors)")
            #expect(run.output.contains("\"attempts\" : 2"), "\(run.output)")
        }
    }

    @Test("does not let a database that vanished meanwhile vanish from the set without a word")
    func vanished() async throws {
        try await TestHost.with { host in
            let run = try await host.runWhileRestarting(then: { host in
                try await host.server.psql("DROP DATABASE library WITH (FORCE)")
            })
            #expect(run.status == .exited(3), "\(run.errors)")
            #expect(run.errors.contains("'library' was there when the run began, and is gone"), "\(run.errors)")
        }
    }
}

extension TestHost {
    /// A run during which the server is restarted while pg_dump waits for a table.
    fileprivate func runWhileRestarting(
        whileDown: (TestHost) throws -> Void = { _ in }, then: (TestHost) async throws -> Void = { _ in }
    ) async throws -> Command.Result {
        let holder = Task {
            try await server.psql("BEGIN; LOCK TABLE orders IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(600)", in: "shop")
        }
        let waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'orders'::regclass"
        try await eventually {
            try await server.psql("SELECT count(*) FROM pg_locks WHERE relation = 'orders'::regclass", in: "shop")
                == "1"
        }
        var patient = self
        patient.job.retry = "{times: 2, wait: 5s}"
        let run = try patient.start(["dump", "--json"])
        try await eventually { try await server.psql(waiting, in: "shop") == "1" }
        try await server.stop()
        // Its connection was cut, which psql reports.
        _ = await holder.result
        try whileDown(self)
        try await eventually {
            try run.errorsSoFar().contains("taking all dumps again after a transient failure") || !isAlive(run.pid)
        }
        // It takes them again once the server is there, however long that takes to start.
        run.send(SIGSTOP)
        do {
            defer { run.send(SIGCONT) }
            try await server.start()
            try await then(self)
        }
        return try await run.result()
    }

    fileprivate mutating func replacePgDump(_ script: String) throws {
        try replaceClient("pg_dump", "[ \"$1\" = --version ] && exec \"$real\" --version\n\(script)")
    }
}
