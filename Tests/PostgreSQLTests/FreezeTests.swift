import Conformance
import DumpCore
import Linux
import SystemPackage
import TestSupport
import Testing

@testable import PostgreSQL

@Suite("One instant for all databases")
struct FreezeTests {
    @Test("Databases that nobody writes to are frozen at one instant, at the first attempt")
    func quiet() async throws {
        try await ClusterFixture.with { cluster in
            for number in 1...6 { try await cluster.server.psql("create database d\(number)") }
            let run = TestRun(slots: 1)
            let moment = try await run.dump(cluster.provider(), into: cluster.newDirectory()).moment
            #expect(moment.kind == .exact)
            #expect(moment.evidence["attempts"] == "1")
            #expect(moment.evidence["wal_bytes"] == nil)
            let globals = try #require(moment.evidence["globals_from"].flatMap { Timestamp($0) })
            #expect(globals >= moment.to)
            #expect(
                run.events.all.first == .began(Cluster.globals), "roles and tablespaces come right after the freeze")
        }
    }

    @Test("What is exact holds, for transactions that go from one database to the other all the time")
    func lockstep() async throws {
        try await ClusterFixture.with(settings: ["max_locks_per_transaction = 256"]) { cluster in
            let writers = Lockstep(cluster: cluster, writers: 4)
            try await writers.prepare()
            let provider = cluster.provider {
                $0.include = ["left", "right"]
                $0.freezeAttempts = 1_000_000
                $0.freezeTime = .seconds(60)
            }
            try await writers.whileWriting {
                for round in 1...5 {
                    let directory = try cluster.newDirectory("dump \(round)")
                    let summary = try await TestRun().dump(
                        provider, into: directory)
                    #expect(summary.moment.kind == .exact, "\(summary.moment)")
                    let ahead = try await writers.leadsOfLeft(in: directory.appending("databases"))
                    #expect(ahead.allSatisfy { $0 == 0 || $0 == 1 }, "round \(round): \(ahead), \(summary.moment)")
                }
                // The same load shows that this is no matter of course.
                let plain = try cluster.newDirectory("plain")
                for database in ["left", "right"] {
                    try await writers.plainDump(of: database, into: plain)
                }
                let ahead = try await writers.leadsOfLeft(in: plain)
                #expect(!ahead.allSatisfy { $0 == 0 || $0 == 1 }, "plain dumps agree by chance: \(ahead)")
            }
        }
    }

    @Test(
        "Databases that are not frozen at one instant are within a window that is recorded, and no more if it must be exact"
    )
    func window() async throws {
        try await ClusterFixture.with { cluster in
            let writers = Lockstep(cluster: cluster, writers: 4)
            try await writers.prepare()
            for number in 1...8 { try await cluster.server.psql("create database d\(number)") }
            try await writers.whileWriting {
                let once = cluster.provider {
                    $0.freezeAttempts = 1
                    $0.connectionShare = 100
                    $0.include = ["left", "right", "d*"]
                }
                let run = TestRun()
                var moment = Moment(.exact, from: .now, to: .now)
                try await eventually {
                    let source = try await once.prepare(in: run.context)
                    try await withCleanup {
                        let frozen = try #require(try await source.freeze(in: run.context) as? FrozenCluster)
                        await frozen.release()
                        moment = Moment([frozen.first!.freeze])
                    } cleanup: {
                        await source.close()
                    }
                    return moment.kind == .window
                }
                #expect(moment.evidence["attempts"] == "1")
                let (first, last) = (moment.evidence["wal_first"] ?? "", moment.evidence["wal_last"] ?? "")
                let difference = try await cluster.server.psql("select pg_wal_lsn_diff('\(last)', '\(first)')")
                #expect(moment.evidence["wal_bytes"] == difference)
                #expect(moment.evidence["milliseconds"]?.contains(".") == true)

                let exact = cluster.provider {
                    $0.freezeAttempts = 1
                    $0.connectionShare = 100
                    $0.consistency = .exact
                    $0.include = ["left", "right", "d*"]
                }
                var refusal: DumpError?
                try await eventually {
                    try await run.prepared(exact) { source in
                        do {
                            await (try await source.freeze(in: run.context)).release()
                        } catch let error as DumpError {
                            refusal = error
                        }
                    }
                    return refusal != nil
                }
                #expect(refusal?.code == .notExact)
                #expect(refusal?.message == "10 databases could not be frozen at one instant in 1 attempts")
                #expect(refusal?.context["dump"] == "app")
            }
        }
    }

    @Test("Databases for which the connections do not suffice are frozen in groups, which prepare says")
    func groups() async throws {
        let settings = ["max_connections = 12", "superuser_reserved_connections = 2", "max_wal_senders = 0"]
        try await ClusterFixture.with(settings: settings) { cluster in
            for number in 1...8 { try await cluster.server.psql("create database d\(number)") }
            let run = TestRun(slots: 2)
            let directory = try cluster.newDirectory()
            let provider = cluster.provider { $0.connectionShare = 100 }
            // Each session that is still counted makes the groups smaller.
            try await cluster.untilNoSession()
            let summary = try await run.prepared(provider) { source in
                let finding = try #require(source.findings.first { $0.code == "connections_too_few" })
                #expect(finding.severity == .warning)
                #expect(
                    finding.message.hasSuffix(
                        "10 databases need 17: they are frozen in 3 groups and not at one instant"))
                return try await run.dump(source, into: directory)
            }
            #expect(summary.moment.kind == .window)
            #expect(summary.moment.evidence["groups"] == "3")
            #expect(summary.moment.evidence["milliseconds"] != nil)
            #expect(summary.databases.count == 10)
            try await eventually { try await cluster.leftovers().isEmpty }

            var held = TestRun(slots: 2)
            try await cluster.untilNoSession()
            try await held.prepared(provider) { #expect(!$0.findings.contains { $0.code == "outside_freeze" }) }
            held.context.surroundings.isApplicationHeld = true
            for (layout, what) in [
                (PostgreSQLSettings.Layout.databases, "6 databases are read"),
                (.cluster, "pg_dumpall reads all databases"),
            ] {
                let provider = cluster.provider {
                    $0.layout = layout
                    $0.connectionShare = 100
                }
                try await cluster.untilNoSession()
                try await held.prepared(provider) { source in
                    let finding = source.findings.first { $0.code == "outside_freeze" }
                    #expect(finding?.message == "\(what) after the thaw, and may have changed since the freeze")
                }
            }

            try await TestRun(slots: 2).prepared(cluster.provider { $0.consistency = .exact }) { source in
                #expect(source.findings.first { $0.code == "connections_too_few" }?.severity == .failure)
            }
        }
    }

    @Test("A role with a connection limit is given no more sessions than it may have")
    func roleLimit() async throws {
        try await ClusterFixture.with { cluster in
            for number in 1...5 { try await cluster.server.psql("create database d\(number)") }
            try await cluster.server.psql(
                "create role backup login password 'secret' connection limit 9 in role pg_read_all_data")
            let provider = cluster.provider(password: Secret("secret")) {
                $0.connection = cluster.server.connection(as: "backup")
                $0.runAs = nil
                $0.connectionShare = 100
            }
            let summary = try await TestRun(slots: 1).dump(provider, into: cluster.newDirectory())
            #expect(summary.databases.count == 7)
            #expect(summary.moment.evidence["groups"] == "3")
        }
    }

    @Test("Three connections suffice: programs get them before the watch does")
    func threeConnections() async throws {
        try await ClusterFixture.withShop { cluster in
            try await cluster.server.psql(
                "create role backup login password 'secret' connection limit 3 in role pg_read_all_data")
            let provider = cluster.provider(password: Secret("secret")) {
                $0.connection = cluster.server.connection(as: "backup")
                $0.runAs = nil
            }
            let summary = try await TestRun(slots: 1).dump(provider, into: cluster.newDirectory())
            #expect(summary.databases.map(\.name) == ["app", "postgres", "shop", "template1"])

            let run = TestRun(slots: 1)
            let directory = try cluster.newDirectory("watched")
            try await cluster.untilNoSession()
            var dump: Task<DumpSummary, any Error>?
            try await cluster.whileLocked("customers", in: "shop") {
                dump = Task { try await run.dump(provider, into: directory) }
                try await eventually { run.logged.all.contains { $0.contains("no connection left for the watch") } }
            }
            #expect(try await dump?.value.databases.count == 4)
        }
    }

    @Test("Half of the free connections are left to others, and the smallest databases come first")
    func budget() {
        let databases = (1...60).shuffled().map { number in
            ServerFacts.Database(
                oid: Int64(number), name: "d\(number)", bytes: Int64(number), allowsConnections: true, isInvalid: false,
                mayConnect: true)
        }
        let sizes = { (budget: ConnectionBudget, parallel: Int) in
            budget.groups(of: databases, parallel: parallel).map(\.count)
        }
        // Beside 12 sessions that hold snapshots there are 2 pg_dumps, 2 that watch their tables, and 3 for other questions.
        #expect(sizes(ConnectionBudget(free: 39), 2) == [12, 12, 12, 12, 12])
        #expect(sizes(ConnectionBudget(free: 200), 2) == [60])
        #expect(sizes(ConnectionBudget(free: 67, share: 100), 2) == [60])
        #expect(sizes(ConnectionBudget(free: 2), 2) == Array(repeating: 1, count: 60))
        #expect(sizes(ConnectionBudget(free: 1000, files: 200), 2) == [40, 20])
        let ascending = ConnectionBudget(free: 39).groups(of: databases, parallel: 2)
        #expect(ascending.joined().map(\.name) == (1...60).map { "d\($0)" })
        let held = ConnectionBudget(free: 39).groups(of: databases, parallel: 2, isApplicationHeld: true)
        #expect(held.first?.first?.name == "d60", "what is frozen while the application stands still is the largest")
    }

    @Test("Databases that stay frozen for long are told before, and small ones are not")
    func longHolds() {
        let databases = [1, 2, 30].map { gibibytes in
            ServerFacts.Database(
                oid: gibibytes, name: "d\(gibibytes)", bytes: gibibytes << 30, allowsConnections: true,
                isInvalid: false,
                mayConnect: true)
        }
        let budget = ConnectionBudget(free: 100)
        #expect(budget.longHolds([databases], parallel: 1).isEmpty)
        let large = databases.map { database in
            var large = database
            large.bytes = 20 << 30
            return large
        }
        #expect(
            budget.longHolds([large], parallel: 1).map(\.message) == [
                "up to 40.0 GiB are dumped before the last of 3 databases has its turn: "
                    + "until then DROP DATABASE and CREATE INDEX CONCURRENTLY wait there, and VACUUM keeps dead rows"
            ])
        #expect(budget.longHolds([large], parallel: 2).map(\.severity) == [.note])
    }

    @Test("A database whose transactions are serializable and deferrable by default waits for no other transaction")
    func deferrable() async throws {
        try await ClusterFixture.withShop { cluster in
            for setting in ["isolation = serializable", "deferrable = on"] {
                try await cluster.server.psql("alter database shop set default_transaction_\(setting)")
            }
            let writing = Task {
                try await cluster.server.psql(
                    """
                    set application_name to writer; begin isolation level serializable read write;
                    insert into customers values (4, 'late'); select pg_sleep(600)
                    """, in: "shop")
            }
            let asleep = "select count(*) from pg_stat_activity where wait_event = 'PgSleep'"
            try await eventually { try await cluster.server.psql(asleep) == "1" }
            let summary = try await TestRun().dump(cluster.provider(), into: cluster.newDirectory())
            #expect(summary.moment.kind == .exact)
            #expect(try await cluster.server.psql(asleep) == "1", "the transaction is still open")
            try await cluster.server.psql(
                "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'writer'")
            _ = await writing.result
        }
    }

    @Test("The snapshot of a database is held no longer than its pg_dump runs")
    func heldNoLonger() async throws {
        try await ClusterFixture.withShop { cluster in
            let run = TestRun(slots: 4)
            let holders = "select count(*) from pg_stat_activity where application_name like 'muster % snapshot'"
            try await run.prepared(cluster.provider()) { source in
                let frozen = try await source.freeze(in: run.context)
                #expect(try await cluster.server.psql(holders) == "4")
                try await cluster.whileLocked("orders", in: "shop") {
                    let dump = Task { try await frozen.dump(into: cluster.newDirectory(), in: run.context) }
                    try await eventually { try await cluster.server.psql(holders) == "1" }
                    dump.cancel()
                    _ = await dump.result
                }
                await frozen.release()
                // The server sees a moment later that a session was closed.
                try await eventually { try await cluster.server.psql(holders) == "0" }
            }
        }
    }
}
