import Conformance
import DumpCore
import Linux
import SystemPackage
import TestSupport
import Testing

@testable import PostgreSQL

@Suite("Restoring single tables")
struct RestoreTableTests {
    @Test("A table comes back alone with its indexes, sequence and types, from its own file and the table of contents")
    func table() async throws {
        try await ClusterFixture.with { cluster in
            try await cluster.createTables()
            let dump = try await cluster.taken()
            let words = cluster.scratch.appending("words")
            try write("", to: words, mode: FilePermissions(rawValue: 0o666))
            let programs = try cluster.clientPrograms(
                pgDump: "exec $REAL/pg_dump \"$@\"",
                pgRestore: "printf '%s\\n' \"$@\" >> \(words)\nexec $REAL/pg_restore \"$@\"")
            let prepared = try await cluster.prepared(dump, by: cluster.restorer(programs)) {
                $0.items = ["shop"]
                $0.pieces = ["public.orders"]
            }
            let parts = try #require(prepared.parts)
            #expect(parts.count == 2 && parts.first == "databases/shop/toc.dat")
            // What was not fetched is not there.
            let fetched = cluster.scratch.appending("fetched")
            for part in parts {
                let copied = try await runProgram(
                    "install",
                    [
                        "-D", "-o", PostgreSQLServer.user, dump.directory.pushing(part).string,
                        fetched.pushing(part).string,
                    ])
                #expect(copied.succeeded, "\(copied.lastErrors)")
            }
            let given = try await runProgram("chown", ["-R", PostgreSQLServer.user, fetched.string])
            #expect(given.succeeded)
            let outcome = try await prepared.restore(from: fetched, in: TestRun().context)
            let name = try #require(outcome.items.first?.name)
            #expect(outcome.items.first?.comparison.compared["rows"] == 1)
            #expect(
                try await cluster.server.psql("select id, state, total from orders order by id", in: name)
                    == "1|open|10\n2|done|20")
            #expect(
                try await cluster.server.psql("insert into orders (state) values ('open') returning id", in: name)
                    == "3")
            #expect(
                try await cluster.server.psql(
                    "select indexname from pg_indexes where tablename = 'orders' order by 1", in: name)
                    == "orders_pkey\norders_state")
            #expect(
                try await cluster.server.psql(
                    "select relname from pg_class where relkind = 'r' and relnamespace = 'public'::regnamespace",
                    in: name) == "orders")
            #expect(
                outcome.findings.filter { $0.code == "restore_part_left_out" }.map(\.message) == [
                    "fk constraint 'orders orders_customer_fkey' is left out: it needs a table that is not restored"
                ])
            let lists = try read(words).split(separator: "\n").filter { $0.hasPrefix("--use-list=") }
            let list = FilePath(String(try #require(lists.first).dropFirst("--use-list=".count)))
            #expect(throws: Errno.noSuchFileOrDirectory) { try FileSystem.status(of: list.removingLastComponent()) }
        }
    }

    @Test("Rows alone come back without indexes and triggers, in the schema of choice")
    func rowsOnly() async throws {
        try await ClusterFixture.with { cluster in
            try await cluster.createTables()
            let dump = try await cluster.taken()
            let outcome = try await cluster.restore(dump) {
                $0.items = ["shop"]
                $0.pieces = ["public.orders", "public.customers"]
                $0.schema = "odd \"schema"
                $0.rowsOnly = true
            }
            let name = try #require(outcome.items.first?.name)
            #expect(try await cluster.server.psql("select count(*) from \"odd \"\"schema\".orders", in: name) == "2")
            #expect(try await cluster.server.psql("select count(*) from \"odd \"\"schema\".customers", in: name) == "1")
            #expect(
                try await cluster.server.psql("select count(*) from pg_indexes where schemaname !~ '^pg_'", in: name)
                    == "0")
            #expect(try await cluster.server.psql("select count(*) from pg_trigger", in: name) == "0")
        }
    }

    @Test("A partitioned table comes back with all of its partitions, and foreign keys among restored tables too")
    func partitions() async throws {
        try await ClusterFixture.with { cluster in
            try await cluster.createTables()
            let dump = try await cluster.taken()
            let outcome = try await cluster.restore(dump) {
                $0.items = ["shop"]
                $0.pieces = ["public.events", "public.orders", "public.customers"]
            }
            let name = try #require(outcome.items.first?.name)
            #expect(
                try await cluster.server.psql("select part, id from events order by 1", in: name) == "a|1\nb|2\nc|3")
            #expect(
                try await cluster.server.psql("select count(*) from pg_constraint where contype = 'f'", in: name) == "1"
            )
            #expect(outcome.findings.isEmpty)
        }
    }

    @Test("A table that the dump does not have is refused, with the name that was meant")
    func unknown() async throws {
        try await ClusterFixture.with { cluster in
            try await cluster.createTables()
            let dump = try await cluster.taken()
            for (piece, hint) in [("orders", "public.orders"), ("public.ordres", "public.orders")] {
                let finding = try #require(
                    try await cluster.prepared(dump) {
                        $0.items = ["shop"]
                        $0.pieces = [piece]
                    }.findings.first)
                #expect(finding.message == "the dump has no table '\(piece)'")
                #expect(finding.hint == "Did you mean '\(hint)'?")
            }
            let several = try await cluster.prepared(dump) {
                $0.items = ["shop", "postgres"]
                $0.pieces = ["public.orders"]
            }
            #expect(several.findings.first?.code == "restore_tables_of_one")
        }
    }
}

extension ClusterFixture {
    fileprivate func createTables() async throws {
        try await server.psql("create role clerk")
        try await server.psql("create database shop")
        try await server.psql(
            """
            create type state as enum ('open', 'done');
            create function twice(int) returns int language sql immutable as 'select $1 * 2';
            create function touch() returns trigger language plpgsql as 'begin return new; end';
            create table customers (id int primary key);
            insert into customers values (1);
            create table orders (id serial primary key, state state not null, customer int references customers,
                total int default twice(5));
            alter table orders owner to clerk;
            create index orders_state on orders (state);
            create trigger touched before update on orders for each row execute function touch();
            insert into orders (state, customer, total) values ('open', 1, 10), ('done', 1, 20);
            create table events (id int, part text) partition by list (part);
            create table events_a partition of events for values in ('a');
            create table events_rest partition of events default partition by list (part);
            create table events_b partition of events_rest for values in ('b');
            create table events_c partition of events_rest for values in ('c');
            insert into events values (1, 'a'), (2, 'b'), (3, 'c');
            create table other as select generate_series(1, 1000) as id;
            """, in: "shop")
    }
}
