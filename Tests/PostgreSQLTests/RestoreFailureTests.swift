import Conformance
import DumpCore
import Linux
import TestSupport
import Testing

@testable import PostgreSQL

@Suite("A restore that fails")
struct RestoreFailureTests {
    @Test("A dump that cannot be restored leaves nothing, and the error names the function at fault")
    func unqualifiedName() async throws {
        try await ClusterFixture.withShop { cluster in
            try await cluster.breakRestore(of: "shop")
            let dump = try await cluster.taken()
            let before = try await cluster.inventory()
            let run = TestRun()
            let error = try await dumpError { try await cluster.restore(dump, in: run) }
            #expect(error.code == .programFailed && error.context["database"] == "shop")
            #expect(
                error.message
                    == "pg_restore of database 'shop' exited with status 1: relation \"t\" does not exist")
            #expect(error.hint?.hasPrefix("Function 'public.ok(integer)' names a table without its schema") == true)
            #expect(try await cluster.inventory() == before)
            #expect((run.context.journal as? MemoryJournal)?.open.isEmpty == true)
        }
    }

    @Test("A pg_restore that leaves out a table and ends well is found out by the comparison")
    func lie() async throws {
        try await ClusterFixture.withShop { cluster in
            let dump = try await cluster.taken()
            let before = try await cluster.inventory()
            let programs = try cluster.clientPrograms(
                pgDump: "exec $REAL/pg_dump \"$@\"",
                pgRestore: """
                    for last; do :; done
                    $REAL/pg_restore --list "$last" | grep -v 'TABLE DATA public orders' >/tmp/list.$$
                    $REAL/pg_restore --use-list=/tmp/list.$$ "$@"; status=$?
                    rm /tmp/list.$$; exit $status
                    """)
            let error = try await dumpError {
                try await cluster.restore(dump, by: cluster.restorer(programs)) { $0.items = ["shop"] }
            }
            #expect(error.code == .notRestored)
            #expect(error.message.contains("database 'shop' was not restored as it was dumped: rows of public.orders"))
            #expect(error.context["differences"]?.contains("20000 in the manifest, 0 restored") == true)
            #expect(try await cluster.inventory() == before)
            #expect(try await cluster.restore(dump) { $0.items = ["shop"] }.isProven)
        }
    }

    @Test("A restore that is cancelled leaves nothing", arguments: [RestoreStep.created, .filled, .compared])
    func cancelled(step: RestoreStep) async throws {
        try await ClusterFixture.withShop { cluster in
            let dump = try await cluster.taken()
            let before = try await cluster.inventory()
            let halt = Halt()
            var restorer = cluster.restorer()
            restorer.passing = { if $0 == step { await halt.stop() } }
            let task = Task { [restorer] in try await cluster.restore(dump, by: restorer) { $0.items = ["shop"] } }
            halt.watch(task)
            await halt.wait()
            task.cancel()
            halt.release()
            let error = try await dumpError { _ = try await task.value }
            #expect(error.code == .cancelled)
            #expect(try await cluster.inventory() == before)
        }
    }

    @Test("A server that is killed in the middle leaves a record, by which what is there is dropped later")
    func serverKilled() async throws {
        try await ClusterFixture.withShop { cluster in
            let dump = try await cluster.taken()
            let before = try await cluster.inventory()
            let run = TestRun()
            let halt = Halt()
            var restorer = cluster.restorer()
            restorer.passing = { if $0 == .created { await halt.stop() } }
            let task = Task { [restorer] in
                try await cluster.restore(dump, by: restorer, in: run) { $0.items = ["shop"] }
            }
            halt.watch(task)
            await halt.wait()
            try await cluster.server.stop(.immediate)
            halt.release()
            let error = try await dumpError { _ = try await task.value }
            #expect(error.context["left"]?.hasPrefix("shop_restoring_") == true)
            try await cluster.server.start()
            let journal = try #require(run.context.journal as? MemoryJournal)
            let record = try #require(journal.open.first)
            #expect(journal.open.count == 1)
            try await cluster.restorer().undo(record, in: run.context)
            #expect(try await cluster.inventory() == before)
        }
    }

    @Test("A tablespace that is full in the middle leaves nothing, and with more space the restore succeeds")
    func fullTablespace() async throws {
        try await ClusterFixture.withShop { cluster in
            let place = cluster.scratch.appending("small")
            try FileSystem.createDirectory(place)
            try await withMemoryFileSystem(kibibytes: 6 << 10, at: place) {
                try PostgreSQLServer.own(place)
                try await cluster.server.psql("create tablespace small location '\(place)'")
                try await cluster.server.psql("alter table orders set tablespace small", in: "shop")
                try await cluster.server.psql("create index on orders (item, note) tablespace small", in: "shop")
                let dump = try await cluster.taken()
                let before = try await cluster.inventory()
                let error = try await dumpError { try await cluster.restore(dump) { $0.items = ["shop"] } }
                #expect(error.code == .programFailed)
                #expect(error.message.hasPrefix("pg_restore of database 'shop' exited with status 1: could not "))
                #expect(error.message.contains("No space left on device"), "\(error)")
                #expect(error.hint == "Free space on the server's disk, then run the restore again.")
                #expect(try await cluster.inventory() == before)
                _ = try await runProgram("mount", ["-o", "remount,size=64m", place.string])
                try await cluster.restore(dump) { $0.items = ["shop"] }
                try await cluster.server.stop()
            }
        }
    }

    @Test("Security labels whose module the server has not loaded are named before the database is made")
    func securityLabels() async throws {
        try await ClusterFixture.withShop { cluster in
            // As a server with the module leaves them.
            try await cluster.server.psql(
                """
                set allow_system_table_mods to on;
                insert into pg_seclabel values ('orders'::regclass, 'pg_class'::regclass, 0, 'guard', 'secret')
                """, in: "shop")
            let dump = try await cluster.taken()
            let before = try await cluster.inventory()
            let error = try await dumpError { try await cluster.restore(dump) { $0.items = ["shop"] } }
            #expect(
                error.message
                    == "database 'shop' has security labels of 'guard', a module that the server has not loaded")
            #expect(error.hint?.hasPrefix("Install the module, add its library to shared_preload_libraries") == true)
            #expect(try await cluster.inventory() == before)
            try await cluster.restore(dump) { ($0.items, $0.pieces) = (["shop"], ["public.customers"]) }
        }
    }
}
