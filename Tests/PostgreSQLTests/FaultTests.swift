import Conformance
import DumpCore
import Linux
import PostgreSQL
import SystemPackage
import TestSupport
import Testing

@Suite("Dumps that go wrong")
struct FaultTests {
    @Test("Globals that are cut fail the dump, and the databases beside them are dumped to an outcome")
    func globalsCut() async throws {
        try await ClusterFixture.withShop { cluster in
            let provider = cluster.provider {
                $0.binDirectory = try? cluster.clientPrograms(
                    pgDump: "exec $REAL/pg_dump \"$@\"", pgDumpAll: "$REAL/pg_dumpall \"$@\" | head -c 300")
            }
            let directory = try cluster.newDirectory()
            let run = TestRun()
            let error = try await dumpError { try await run.dump(provider, into: directory) }
            #expect(
                error.description == """
                    the dump of roles and tablespaces is not complete: it does not end with 'database cluster dump complete'
                      dump: app
                      file: \(directory)/globals.sql
                      hint: Run it again. If that fails too, check the client programs and the disk of the staging area.
                    """)
            #expect(run.events.all.count == 10, "five units began and ended")
        }
    }

    @Test("A lock that is held longer than lock_timeout fails the dump and says what to do")
    func heldLock() async throws {
        try await ClusterFixture.withShop { cluster in
            let provider = cluster.provider {
                $0.lockTimeout = .milliseconds(200)
                $0.include = ["shop"]
            }
            try await cluster.whileLocked("customers", in: "shop") {
                let error = try await dumpError { try await TestRun().dump(provider, into: cluster.newDirectory()) }
                #expect(error.code == .programFailed)
                #expect(error.message == "pg_dump of database 'shop' exited with status 1")
                #expect(
                    error.hint
                        == "Another session holds a lock on that table that shuts out readers; pg_locks shows who. "
                        + "Raise lock_timeout, or dump when nothing alters tables.")
                #expect(error.context["stderr"]?.contains("LOCK TABLE public.customers IN ACCESS SHARE MODE") == true)
            }
        }
    }

    @Test("A lock that is queued before a job of pg_dump is a failure that passes")
    func queuedLock() async throws {
        try await ClusterFixture.withShop { cluster in
            let run = TestRun(slots: 2, jobsPerUnit: 2)
            let provider = cluster.provider { $0.include = ["shop"] }
            let waiting = "select count(*) from pg_locks where not granted"
            var tasks: (dump: Task<DumpSummary, any Error>, altering: Task<String, any Error>)?
            try await cluster.whileLocked("customers", in: "shop") {
                let dump = Task { try await run.dump(provider, into: cluster.newDirectory()) }
                try await eventually { try await cluster.server.psql(waiting) == "1" }
                // Behind pg_dump itself, which has locked `orders` and waits for `customers`, and before its jobs.
                let altering = Task { try await cluster.server.psql("begin; lock table orders", in: "shop") }
                try await eventually { try await cluster.server.psql(waiting) == "2" }
                tasks = (dump, altering)
            }
            let (dump, altering) = try #require(tasks)
            let error = try await dumpError { _ = try await dump.value }
            #expect(error.isTransient, "\(error)")
            #expect(error.context["stderr"]?.contains("could not obtain lock on relation") == true, "\(error)")
            _ = await altering.result
        }
    }

    @Test(
        "A database that was dropped before its turn is left out and told, and fails a job that names it",
        arguments: [true, false])
    func dropped(beforeFreeze: Bool) async throws {
        try await ClusterFixture.withShop { cluster in
            let summary = try await dump(cluster.provider(), of: cluster, dropping: "app", beforeFreeze)
            #expect(summary.databases.map(\.name) == ["postgres", "shop", "template1"])
            #expect(
                summary.omissions.filter { $0.code == "database_dropped" } == [
                    Finding(
                        .warning, "database_dropped", object: "app",
                        "database 'app' was dropped during the run",
                        hint: "Nothing to do, if that was intended.")
                ])
            let named = cluster.provider { $0.include = ["*", "shop"] }
            let error = try await dumpError {
                _ = try await dump(named, of: cluster, dropping: "shop", beforeFreeze)
            }
            #expect(error.code.rawValue == "omission_not_allowed")
            #expect(error.message.contains("database 'shop' was dropped during the run"))
        }
    }

    /// - Parameter beforeFreeze: whether the database is dropped before the freeze, or right after it.
    private func dump(
        _ provider: PostgreSQLProvider, of cluster: ClusterFixture, dropping database: String, _ beforeFreeze: Bool
    ) async throws -> DumpSummary {
        let run = TestRun()
        let drop = "drop database \(database) with (force)"
        return try await run.prepared(provider) { source in
            if beforeFreeze { try await cluster.server.psql(drop) }
            let frozen = try await source.freeze(in: run.context)
            if !beforeFreeze { try await cluster.server.psql(drop) }
            let summary = await Result { try await frozen.dump(into: cluster.newDirectory(database), in: run.context) }
            await frozen.release()
            return try summary.get()
        }
    }

    @Test("A full disk names the database, what it needs and what is free")
    func fullDisk() async throws {
        try await ClusterFixture.withShop { cluster in
            let mountPoint = try cluster.newDirectory("full")
            try await withMemoryFileSystem(kibibytes: 512, at: mountPoint) {
                let directory = mountPoint.appending("dump")
                try FileSystem.createDirectory(directory)
                let provider = cluster.provider { $0.include = ["shop"] }
                let run = TestRun()
                try await run.prepared(provider) { source in
                    let needed = formatBytes(source.units[0].estimatedBytes)
                    let error = try await dumpError { _ = try await run.dump(source, into: directory) }
                    #expect(error.code == .noSpace)
                    #expect(
                        error.message.hasSuffix(
                            "no space for database 'shop': about \(needed) needed, 0 B free in \(directory)/databases/shop"
                        ), "\(error.message)")
                    #expect(error.hint == "Free space there, or put the staging area on a larger file system.")
                }
            }
        }
    }

    @Test("A dump that outlives its deadline is stopped, and nothing of it is left")
    func deadline() async throws {
        try await ClusterFixture.withShop { cluster in
            let run = TestRun(deadline: .seconds(1))
            try await cluster.whileLocked("orders", in: "shop") {
                let error = try await dumpError {
                    try await run.dump(cluster.provider(), into: cluster.newDirectory())
                }
                #expect(
                    error.description == """
                        the dump did not end within its deadline of 1s
                          dump: app
                          hint: Raise 'deadline:', or find out what holds it up: a lock, a slow disk, a slow network.
                        """)
                try await eventually { try await cluster.leftovers().isEmpty }
            }
        }
    }

    @Test("A server that is stopped during the dump is what the error says")
    func serverStopped() async throws {
        try await ClusterFixture.withShop { cluster in
            let provider = cluster.provider { $0.include = ["shop"] }
            let run = TestRun(slots: 1)
            try await cluster.whileLocked("orders", in: "shop") {
                let directory = try cluster.newDirectory()
                let task = Task { try await run.dump(provider, into: directory) }
                try await eventually {
                    try await cluster.server.psql("select count(*) from pg_locks where not granted") == "1"
                }
                try await cluster.server.stop()
                let error = try await dumpError { _ = try await task.value }
                #expect(error.message == "pg_dump of database 'shop' exited with status 1")
                #expect(error.hint?.hasPrefix("The server was stopped or crashed, or the network was cut") == true)
                try await cluster.server.start()
            }
        }
    }

    @Test("What pg_dump warns of although it succeeds is a finding of the dump")
    func warnings() async throws {
        try await ClusterFixture.withShop { cluster in
            try await cluster.server.psql("create role backup login password 'x' in role pg_read_all_data")
            try await cluster.server.psql(
                "create subscription feed connection 'dbname=nowhere' publication p with (connect = false)", in: "app")
            let provider = cluster.provider(password: Secret("x")) {
                $0.connection = cluster.server.connection(as: "backup")
                $0.runAs = nil
            }
            let summary = try await TestRun().dump(provider, into: cluster.newDirectory())
            #expect(
                summary.findings == [
                    Finding(
                        .warning, "program_warning", object: "app",
                        "subscriptions not dumped because current user is not a superuser")
                ])
        }
    }

    @Test("What the server warns of while pg_dump succeeds is a finding too, whatever the role is set to")
    func serverWarnings() async throws {
        try await ClusterFixture.withShop { cluster in
            try await cluster.server.psql("alter role postgres set client_min_messages = error")
            let warning = cluster.server.directory.appending("warning.sql")
            try write(
                "do $$ begin raise warning 'page 1 is odd' using detail = 'Very.'; end $$", to: warning,
                mode: FilePermissions(rawValue: 0o644))
            let script = """
                psql -Xq -d "$(printf '%s\n' "$@" | sed -n 's/^--dbname=//p')" < \(warning)
                exec $REAL/pg_dump "$@"
                """
            let provider = cluster.provider {
                $0.include = ["shop"]
                $0.binDirectory = try? cluster.clientPrograms(pgDump: script)
            }
            let summary = try await TestRun().dump(provider, into: cluster.newDirectory())
            #expect(
                summary.findings == [Finding(.warning, "program_warning", object: "shop", "page 1 is odd Very.")])
        }
    }
}
