import Conformance
import DumpCore
import TestSupport
import Testing

@testable import PostgreSQL

@Suite("Restoring a database in the place of another")
struct RestoreReplacingTests {
    @Test("The restored database takes the name while clients are connected, and the old one is kept")
    func replacing() async throws {
        try await ClusterFixture.withShop { cluster in
            try await cluster.server.psql("comment on database shop is 'ours'")
            let dump = try await cluster.taken()
            try await cluster.server.psql("update orders set note = 'spoilt'", in: "shop")
            let client = Task { try await cluster.server.psql("select pg_sleep(600)", in: "shop") }
            try await eventually {
                try await cluster.server.psql("select count(*) from pg_stat_activity where datname = 'shop'") == "1"
            }
            let run = TestRun()
            let outcome = try await cluster.restore(dump, in: run) {
                $0.items = ["shop"]
                $0.placement = .replacing
            }
            _ = try? await client.value
            let kept = "shop_before_\(run.context.runID.description.prefix { $0 != "-" })"
            #expect(outcome.items.map(\.name) == ["shop"] && outcome.items.map(\.kept) == [kept])
            let spoilt = "select count(*) from orders where note = 'spoilt'"
            #expect(try await cluster.server.psql(spoilt, in: "shop") == "0")
            #expect(try await cluster.server.psql(spoilt, in: kept) == "20000")
            #expect(
                try await cluster.server.psql(
                    "select shobj_description(oid, 'pg_database') from pg_database where datname ~ '^shop' order by datname"
                )
                    == "ours\nmuster: kept by restore \(run.context.runID) of shop\nours")
            #expect((run.context.journal as? MemoryJournal)?.open.isEmpty == true)
        }
    }

    @Test("The comment of the one that is kept stays as it is to the byte, whatever its encoding")
    func commentInAnotherEncoding() async throws {
        try await ClusterFixture.withShop { cluster in
            try await cluster.server.psql(
                "create database latin template template0 encoding 'LATIN1' lc_collate 'C' lc_ctype 'C'")
            let dump = try await cluster.taken()
            try await cluster.server.psql(
                "comment on database app is E'caf\\xe9'", in: "latin")
            let outcome = try await cluster.restore(dump) { ($0.items, $0.placement) = (["app"], .replacing) }
            let kept = try #require(outcome.items.first?.kept)
            let hex = try await cluster.server.psql(
                """
                select encode(convert_to(shobj_description(oid, 'pg_database'), 'LATIN1'), 'hex')
                from pg_database where datname = \(kept.asLiteral)
                """, in: "latin")
            #expect(hex.hasSuffix("0a636166e9"), "\(hex)")
            let found = try await cluster.restorer().kept(cluster.request(), in: TestRun().context)
            #expect(found.map(\.name) == [kept])
        }
    }

    @Test("Where nothing has the name, the restored database simply gets it")
    func nothingThere() async throws {
        try await ClusterFixture.withShop { cluster in
            let dump = try await cluster.taken()
            try await cluster.server.psql("drop database shop")
            let outcome = try await cluster.restore(dump) {
                $0.items = ["shop"]
                $0.placement = .replacing
            }
            #expect(outcome.items.map(\.kept) == [nil])
            #expect(try await cluster.databases() == ["app", "shop"])
        }
    }

    @Test("Databases that every server has are replaced too, one after the other and all at once")
    func initialDatabases() async throws {
        try await ClusterFixture.with { cluster in
            try await cluster.server.psql("create table mine as select 1 as id", in: "postgres")
            try await cluster.server.psql("create table base as select 2 as id", in: "template1")
            let dump = try await cluster.taken()
            try await cluster.server.psql("drop table mine", in: "postgres")
            try await cluster.server.psql("drop table base", in: "template1")
            for items in [["postgres"], ["template1"], ["postgres", "template1"]] {
                let run = TestRun()
                try await cluster.restore(dump, in: run) {
                    $0.items = items
                    $0.placement = .replacing
                }
                let state =
                    "select datname, datallowconn, datistemplate from pg_database where datname ~ 'e[s1]$' order by 1"
                #expect(try await cluster.server.psql(state) == "postgres|t|f\ntemplate1|t|t")
                for kept in try await cluster.restorer().kept(cluster.request(), in: run.context) {
                    try await cluster.restorer().drop(kept, cluster.request(), in: run.context)
                }
                #expect(try await cluster.databases() == [])
            }
            #expect(try await cluster.server.psql("select id from mine", in: "postgres") == "1")
            #expect(try await cluster.server.psql("select id from base", in: "template1") == "2")
        }
    }

    @Test(
        "Wherever a restore dies, undoing it leaves the old database or the new one serving, and a second one succeeds",
        arguments: RestoreStep.allCases.map { ($0, ["shop"]) }
            + [RestoreStep.filled, .closed, .exchanged].map { ($0, ["postgres", "shop"]) })
    func killed(step: RestoreStep, items: [String]) async throws {
        try await ClusterFixture.withShop { cluster in
            try await cluster.server.psql("create table mark as select 'old' as state", in: "shop")
            try await cluster.server.psql("create table mark as select 'old' as state", in: "postgres")
            let dump = try await cluster.taken { $0.include = ["postgres", "shop"] }
            for database in ["shop", "postgres"] {
                try await cluster.server.psql("update mark set state = 'live'", in: database)
            }
            let before = try await cluster.inventory()
            let run = TestRun(slots: 1)
            let halt = Halt()
            var restorer = cluster.restorer()
            restorer.passing = { if $0 == step { await halt.stop() } }
            let change = { @Sendable (request: inout RestoreRequest) in
                request.items = items
                request.placement = .replacing
            }
            let task = Task { [restorer] in try await cluster.restore(dump, by: restorer, in: run, change) }
            halt.watch(task)
            await halt.wait()
            // What a server sees of a client that was killed.
            _ = try await cluster.serverIgnoringLimits(
                "select pg_terminate_backend(pid) from pg_stat_activity where application_name like 'muster%'")
            let journal = try #require(run.context.journal as? MemoryJournal)
            let record = try #require(journal.open.first)
            for _ in 1...2 { try await cluster.restorer().undo(record, in: run.context) }
            let state = step == .exchanged ? "old" : "live"
            for database in items {
                #expect(try await cluster.server.psql("select state from mark", in: database) == state)
            }
            if step == .exchanged {
                let kept = try await cluster.restorer().kept(cluster.request(), in: run.context)
                #expect(kept.map(\.item).sorted() == items)
            } else {
                #expect(try await cluster.inventory() == before)
            }
            task.cancel()
            halt.release()
            _ = await task.result
            #expect(try await cluster.restore(dump, in: TestRun(), change).isProven)
            for database in items {
                #expect(try await cluster.server.psql("select state from mark", in: database) == "old")
            }
        }
    }

    @Test("Prepared transactions keep a restore from replacing a database, and slots are told")
    func heldUp() async throws {
        try await ClusterFixture.withShop(settings: ["max_prepared_transactions = 2", "wal_level = logical"]) {
            cluster in
            let dump = try await cluster.taken()
            // First: it would wait for the prepared transaction.
            try await cluster.server.psql("select pg_create_logical_replication_slot('s1', 'pgoutput')", in: "shop")
            try await cluster.server.psql(
                "begin; insert into customers values (9); prepare transaction 'it''s'", in: "shop")
            let findings = try await cluster.prepared(dump) { $0.placement = .replacing }.findings
            #expect(findings.map(\.code).prefix(2) == ["prepared_transaction", "slot_stays_behind"])
            #expect(findings[0].hint == "Connect to it and run COMMIT PREPARED E'it''s', or ROLLBACK PREPARED.")
        }
    }

    @Test("What a restore has kept is dropped on request, and nothing that it has not")
    func dropping() async throws {
        try await ClusterFixture.withShop { cluster in
            let dump = try await cluster.taken()
            let run = TestRun()
            try await cluster.restore(dump, in: run) {
                $0.items = ["shop"]
                $0.placement = .replacing
            }
            let restorer = cluster.restorer()
            let kept = try await restorer.kept(cluster.request(), in: run.context)
            #expect(kept.map(\.item) == ["shop"] && kept.allSatisfy { $0.bytes > 0 })
            #expect(
                kept[0].since.iso8601(withMilliseconds: false).filter { $0 != "-" && $0 != ":" }
                    == String(run.context.runID.description.prefix { $0 != "-" }))
            // A look-alike by name, and one by comment.
            try await cluster.server.psql("create database \"app_before_20261129T000000Z\"")
            try await cluster.server.psql(
                "comment on database app is 'muster: kept by restore \(run.context.runID) of app'")
            for name in ["app_before_20261129T000000Z", "app"] {
                let error = try await dumpError {
                    try await restorer.drop(
                        KeptItem(item: "app", name: name, since: .now, bytes: 0), cluster.request(), in: run.context)
                }
                #expect(error.message == "no restore has kept a database '\(name)'")
            }
            try await restorer.drop(kept[0], cluster.request(), in: run.context)
            #expect(try await cluster.databases() == ["app", "app_before_20261129T000000Z", "shop"])
        }
    }
}

extension ClusterFixture {
    /// Through whichever of the initial databases lets us in just now.
    fileprivate func serverIgnoringLimits(_ statements: String) async throws -> String {
        do {
            return try await server.psql(statements, in: "postgres")
        } catch {
            return try await server.psql(statements, in: "template1")
        }
    }
}
