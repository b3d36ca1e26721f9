import Conformance
import DumpCore
import Linux
import SystemPackage
import TestSupport
import Testing

@testable import PostgreSQL

@Suite("A dump that is followed on its server")
struct WatchTests {
    @Test("The bytes of a running COPY are the server's, against the size of the tables")
    func bytes() async throws {
        try await ClusterFixture.withShop { cluster in
            try await cluster.server.psql("drop table customers", in: "shop")
            let directory = try cluster.newDirectory()
            let run = TestRun()
            // What pg_dump writes takes its time: the server is ahead by what fits a socket.
            let provider = try cluster.shop(tracing: "delay_enter=500000")
            let task = Task { try await run.dump(provider, into: directory) }
            try await eventually {
                run.moves.all.contains { $0.progress.detail == "public.orders" && $0.progress.bytes > 100_000 }
            }
            let size = try await cluster.server.psql("select pg_table_size('orders')", in: "shop")
            let last = try #require(run.moves.all.last)
            #expect(last.unit.name == "shop")
            #expect("\(last.progress.expectedBytes)" == size)
            #expect(FileTree(directory).bytes() < last.progress.bytes)
            task.cancel()
            await #expect(throws: DumpError.self) { try await task.value }
        }
    }

    @Test("A pg_dump that takes nothing more is found, stopped, and named with what the server waits for")
    func stopped() async throws {
        try await ClusterFixture.withShop { cluster in
            try await cluster.server.psql("drop table customers", in: "shop")
            // In the middle of its only table: the first writes are the table of contents.
            let provider = try cluster.shop(tracing: "signal=SIGSTOP:when=20")
            let error = try await dumpError { try await TestRun().dump(provider, into: cluster.newDirectory()) }
            #expect(error.code == .stalled)
            #expect(error.message == "pg_dump of database 'shop' has not moved for 2s and was stopped")
            let waiting = try #require(error.context["waits_for"])
            #expect(waiting.hasPrefix("Client ClientWrite, active since 2"), "\(waiting)")
            #expect(waiting.hasSuffix(": COPY public.orders (id, item, note) TO stdout;"), "\(waiting)")
            #expect(error.context["blocked_by"] == nil)
            #expect(
                error.hint
                    == "The server waits for pg_dump: look for a full or hung disk below the staging area, a cut network, "
                    + "or a stopped process.")
            try await eventually { try await cluster.leftovers().isEmpty }
        }
    }

    @Test(
        "A lock that outlasts stall_timeout is named with who holds it",
        arguments: PostgreSQLSettings.Layout.allCases)
    func locked(layout: PostgreSQLSettings.Layout) async throws {
        try await ClusterFixture.withShop { cluster in
            let provider = cluster.provider {
                $0.stallTimeout = .seconds(2)
                $0.layout = layout
            }
            let run = TestRun()
            try await cluster.whileLocked("customers", in: "shop") {
                let locker = try await cluster.server.psql(
                    "select pid from pg_stat_activity where application_name = 'locker'")
                let error = try await dumpError { try await run.dump(provider, into: cluster.newDirectory()) }
                #expect(error.code == .stalled)
                let subject = layout == .cluster ? "pg_dumpall of the cluster" : "pg_dump of database 'shop'"
                #expect(error.message == "\(subject) has not moved for 2s and was stopped")
                let waiting = try #require(error.context["waits_for"])
                #expect(waiting.hasPrefix("Lock relation, active since 2"), "\(waiting)")
                #expect(waiting.contains("LOCK TABLE public.customers IN ACCESS SHARE MODE"), "\(waiting)")
                let blocker = try #require(error.context["blocked_by"])
                #expect(
                    blocker.hasPrefix("pid \(locker), user postgres, application 'locker', active since 2"),
                    "\(blocker)")
                #expect(
                    error.hint
                        == "End the session that blocks it, or dump when nothing alters tables. lock_timeout bounds such waits."
                )
            }
            #expect(run.moves.all.contains { $0.progress.detail == "waiting for a lock" })
            #expect(run.logged.all.contains { $0.hasPrefix("warning ") && $0.contains("has not moved for 2s") })
            try await eventually { try await cluster.leftovers().isEmpty }
        }
    }

    @Test("A role that may not look into other sessions still learns who blocks it")
    func ordinaryRole() async throws {
        try await ClusterFixture.withShop { cluster in
            try await cluster.server.psql("create role backup login password 'x' in role pg_read_all_data")
            let provider = cluster.provider(password: Secret("x")) {
                $0.connection = cluster.server.connection(as: "backup")
                $0.runAs = nil
                $0.stallTimeout = .seconds(2)
            }
            try await cluster.whileLocked("orders", in: "shop") {
                let error = try await dumpError { try await TestRun().dump(provider, into: cluster.newDirectory()) }
                #expect(error.code == .stalled)
                #expect(error.context["waits_for"]?.contains("LOCK TABLE public.orders") == true)
                let blocker = error.context["blocked_by"] ?? ""
                #expect(
                    blocker.hasSuffix(
                        ", user postgres, application 'locker', in an unknown state since an unknown time"),
                    "\(blocker)")
            }
        }
    }

    @Test("When the session that follows a dump is cut, that is said once, and progress and stalls are still told")
    func cut() async throws {
        try await ClusterFixture.withShop { cluster in
            let run = TestRun()
            let provider = cluster.provider {
                $0.include = ["shop"]
                $0.stallTimeout = .seconds(5)
            }
            let watcher = "application_name = 'muster \(run.context.runID)'"
            try await cluster.whileLocked("orders", in: "shop") {
                let directory = try cluster.newDirectory()
                let task = Task { try await run.dump(provider, into: directory) }
                try await eventually { run.moves.all.contains { $0.progress.detail == "waiting for a lock" } }
                #expect(
                    try await cluster.server.psql(
                        "select count(pg_terminate_backend(pid)) from pg_stat_activity where \(watcher)") == "1")
                let error = try await dumpError { _ = try await task.value }
                #expect(error.code == .stalled)
                #expect(error.context["blocked_by"]?.contains("application 'locker'") == true)
            }
            #expect(run.moves.all.last?.progress.detail == nil, "told without the server")
            let warnings = run.logged.all.filter { $0.hasPrefix("warning cannot follow the dump on the server") }
            #expect(warnings.count == 1, "\(warnings)")
        }
    }

    @Test("A server without pg_stat_progress_copy shows the sessions of a dump all the same")
    func oldServer() async throws {
        try await ClusterFixture.with { cluster in
            let options = try ConnectionOptions(
                parsing: "\(cluster.server.connection) dbname=postgres application_name='muster x/1'")
            let user = try #require(UserAccount(named: PostgreSQLServer.user))
            let session = try await Session.connect(options, password: nil, as: user)
            for major in [13, 14] {
                let backends = try await DumpBackend.all(
                    named: ["muster x/2", "muster x/1"], in: session, major: major)
                #expect(backends.map(\.applicationName) == ["muster x/1"])
                #expect(backends.first?.copy == nil)
                #expect(backends.first?.statementStart != nil)
            }
            await session.close()
        }
    }

    @Test("The sizes of tables are known without waiting for a lock that one of them is under")
    func sizes() async throws {
        try await ClusterFixture.withShop { cluster in
            try await cluster.server.psql("vacuum orders", in: "shop")
            let options = try ConnectionOptions(parsing: "\(cluster.server.connection) dbname=shop")
            let user = try #require(UserAccount(named: PostgreSQLServer.user))
            let session = try await Session.connect(options, password: nil, as: user)
            try await cluster.whileLocked("orders", in: "shop") {
                let sizes = try await TableSize.all(in: session)
                #expect(
                    sizes.values.map(\.name).sorted() == [
                        "pg_catalog.pg_largeobject", "public.customers", "public.orders",
                    ]
                )
                let pages = try await cluster.server.psql(
                    "select relpages * 8192 from pg_class where relname = 'orders'", in: "shop")
                #expect(sizes.values.first { $0.name == "public.orders" }.map { "\($0.bytes)" } == pages)
            }
            await session.close()
        }
    }
}

extension ClusterFixture {
    /// A provider of `shop` whose pg_dump runs under strace(1), which does this to each of its writes. It stalls after 2 s.
    fileprivate func shop(tracing injection: String) throws -> PostgreSQLProvider {
        let programs = try clientPrograms(
            pgDump: "exec strace -f -o /dev/null -e trace=write -e inject=write:\(injection) $REAL/pg_dump \"$@\"")
        return provider {
            $0.include = ["shop"]
            $0.binDirectory = programs
            $0.stallTimeout = .seconds(2)
        }
    }
}
