import Conformance
import DumpCore
import PostgreSQL
import SystemPackage
import TestSupport
import Testing

@Suite("What is recorded of a cluster for a restore")
struct RecordTests {
    @Test("A dump that was restored has the same record, but for what a restore mends")
    func roundTrip() async throws {
        try await ClusterFixture.with { source in
            try await source.createRecorded()
            let directory = try source.newDirectory()
            let before = try await TestRun().dump(source.provider(), into: directory)
            try await ClusterFixture.with { target in
                let dump = try await target.copied(directory)
                try await target.server.psqlFile(dump.appending("globals.sql"))
                try await target.restore(dump.pushing("databases/rich"))
                let after = try await TestRun().dump(target.provider(), into: target.newDirectory())
                let old = try #require(before.database("rich"))
                #expect(old.record?.invalidIndexes == ["public.\"Broken\""])
                #expect(after.database("rich") == old.withoutInvalidIndexes)
                // Whether a dump holds ALTER ROLE ALL is a matter of the dump.
                var (one, other) = try (#require(before.cluster), #require(after.cluster))
                #expect(one.settings == [SettingRecord(role: nil, "work_mem=6MB")])
                (one.settings, other.settings) = ([], [])
                #expect(other == one)
            }
        }
    }

    @Test("PostgreSQL 18 gives the same record of a database before and after its restore")
    func roundTrip18() async throws {
        try await withScratch { scratch in
            try await PostgreSQLServer.with18(in: scratch) { server, programs in
                let cluster = ClusterFixture(scratch: scratch, server: server)
                try await cluster.createRecorded()
                let provider = cluster.provider { $0.binDirectory = programs }
                let directory = try cluster.newDirectory()
                let before = try await TestRun().dump(provider, into: directory)
                let dump = try await cluster.copied(directory)
                try await server.psql("alter subscription feed set (slot_name = none)", in: "rich")
                try await server.psql("drop subscription feed", in: "rich")
                try await server.psql("drop database rich")
                try await cluster.restore(dump.pushing("databases/rich"), programs)
                let after = try await TestRun().dump(provider, into: cluster.newDirectory("again"))
                let new = try #require(after.database("rich"))
                #expect(try new == #require(before.database("rich")).withoutInvalidIndexes)
                #expect(after.cluster == before.cluster)
                #expect(new.record?.missing == [])
            }
        }
    }

    @Test("The record holds what was there, and neither a password nor how a subscription connects")
    func contents() async throws {
        try await ClusterFixture.with { cluster in
            try await cluster.createRecorded()
            let summary = try await TestRun().dump(cluster.provider(), into: cluster.newDirectory())
            let rich = try #require(summary.database("rich"))
            let record = try #require(rich.record)
            #expect(record.encoding == "UTF8")
            #expect(record.locale.provider == "libc" && record.locale.collate == "C.UTF-8")
            #expect(record.owner == "App User" && record.connectionLimit == 7 && record.comment == "all of it")
            #expect(record.grants?.contains("reader=c/\"App User\"") == true, "\(record.grants ?? [])")
            #expect(
                record.settings == [
                    SettingRecord(role: nil, "TimeZone=Asia/Tokyo"), SettingRecord(role: nil, "app.api_key="),
                    SettingRecord(role: "App User", "work_mem=5MB"),
                ])
            #expect(record.settings[1].value == nil)
            let expected: [String: Int64] = [
                "table": 6, "partitioned_table": 1, "view": 1, "materialized_view": 1, "sequence": 3, "index": 4,
                "composite_type": 1, "domain": 1, "enum": 1, "schema": 1, "function": 2, "procedure": 1, "trigger": 1,
                "policy": 1, "rule": 1, "publication": 1, "foreign_data_wrapper": 1, "foreign_server": 1,
                "user_mapping": 1, "statistics": 1, "event_trigger": 1, "cast": 1, "collation": 1,
                "default_privileges": 1,
            ]
            for (kind, count) in expected { #expect(record.objects[kind] == count, "\(kind)") }
            #expect(Set(record.objects.keys) == Set(expected.keys))
            #expect(record.constraints?.counts == ["check": 3, "foreign_key": 1, "primary_key": 2, "unique": 1])
            #expect(record.constraints?.notValidated == 1)
            #expect(record.extensions.map(\.name) == ["hstore", "plpgsql"])
            #expect(
                record.subscriptions == [
                    SubscriptionRecord(name: "feed", isEnabled: false, publications: ["one", "two"])
                ])
            #expect(record.largeObjects == 2)
            #expect(record.sequences.map(\.name).sorted() == ["counter", "orders_id_seq", "unused"])
            #expect(record.sequences.map(\.lastValue).compactMap(\.self).sorted() == [3, 42])
            #expect(record.missing == [])
            #expect(rich.tables.allSatisfy { $0.columns?.utf8.count == 32 })

            let roles = try #require(summary.cluster)
            #expect(roles.bootstrapRole == "postgres" && roles.missing == [])
            #expect(
                roles.roles.first { $0.name == "App User" }
                    == RoleRecord(
                        name: "App User", attributes: ["createdb", "inherit", "login"], connectionLimit: 3,
                        validUntil: "2040-01-01T00:00:00Z", comment: "the application"))
            #expect(roles.memberships.map(\.member).contains("App User"))
            #expect(roles.settings == [SettingRecord(role: nil, "work_mem=6MB")])
            #expect(roles.preloadLibraries["session_preload_libraries"] == "")
            let everything = "\(summary)"
            #expect(!everything.contains("s3cret"))
        }
    }

    @Test("A column that is renamed, or of another type, changes its table's digest and the database's, and no other")
    func digests() async throws {
        try await ClusterFixture.withShop { cluster in
            func dump(_ name: String) async throws -> DatabaseContents {
                let summary = try await TestRun().dump(cluster.provider(), into: cluster.newDirectory(name))
                return try #require(summary.database("shop"))
            }
            var last = try await dump("0")
            for (number, change) in [
                "rename column note to remark", "alter column remark type varchar(50)",
                "alter column remark set not null", "drop column remark",
            ].enumerated() {
                try await cluster.server.psql("alter table orders \(change)", in: "shop")
                let next = try await dump("\(number + 1)")
                let differing = zip(last.tables, next.tables).filter { $0.columns != $1.columns }.map(\.0.name)
                #expect(differing == ["orders"], "\(change)")
                #expect(last.record?.columnsSHA256 != next.record?.columnsSHA256)
                last = next
            }
            try await cluster.server.psql("alter table orders set (fillfactor = 90)", in: "shop")
            #expect(try await dump("same").record == last.record)
        }
    }

    @Test("A standby gives the record of its primary, with sequences that may be ahead")
    func standby() async throws {
        try await StandbyFixture.with { host in
            try await host.primary.createRecorded()
            try await host.catchUp()
            let primary = try await TestRun().dump(host.primary.provider(), into: host.primary.newDirectory())
            let standby = try await TestRun().dump(host.standby.provider(), into: host.standby.newDirectory("standby"))
            var (one, other) = try (
                #require(primary.database("rich")?.record), #require(standby.database("rich")?.record)
            )
            for (sequence, ahead) in zip(one.sequences, other.sequences) {
                #expect(sequence.name == ahead.name)
                // The log is written for 32 values at once (`SEQ_LOG_VALS` in `sequence.c`).
                #expect((0...32).contains((ahead.lastValue ?? 0) - (sequence.lastValue ?? 0)))
            }
            #expect(one.sequences.count == 3 && other.sequences.count == 3)
            (one.sequences, other.sequences) = ([], [])
            #expect(other == one)
            #expect(standby.cluster == primary.cluster)
        }
    }

    @Test("A role that is not a superuser gives the same record, but for what it may not see")
    func ordinaryRole() async throws {
        try await ClusterFixture.with { cluster in
            try await cluster.createRecorded()
            try await cluster.server.psql("create role backup login password 'pw' in role pg_read_all_data bypassrls")
            try await cluster.server.psql("grant connect on database rich to backup")
            try await cluster.server.psql("select lo_unlink(4711), lo_unlink(4712)", in: "rich")
            let provider = cluster.provider(password: Secret("pw")) {
                $0.connection = cluster.server.connection(as: "backup")
                $0.runAs = nil
                $0.include = ["rich"]
            }
            let ordinary = try await TestRun().dump(provider, into: cluster.newDirectory())
            let all = try await TestRun().dump(
                cluster.provider { $0.include = ["rich"] }, into: cluster.newDirectory("all"))
            #expect(ordinary.database("rich")?.record == all.database("rich")?.record)
            var seen = try #require(all.cluster)
            seen.preloadLibraries = ["local_preload_libraries": ""]
            #expect(ordinary.cluster == seen)
        }
    }

    @Test("Sequences are on record however many there are, and none of them is locked while the database is frozen")
    func manySequences() async throws {
        try await ClusterFixture.withShop { cluster in
            try await cluster.server.psql(
                "do $$ begin for i in 1..1200 loop execute 'create sequence s' || i; end loop; end $$", in: "shop")
            try await cluster.server.psql("select setval('s1200', 7)", in: "shop")
            let run = TestRun()
            try await run.prepared(cluster.provider { $0.include = ["shop"] }) { source in
                let frozen = try await source.freeze(in: run.context)
                #expect(try await cluster.lockedSequences() == "0")
                let summary = try await frozen.dump(into: cluster.newDirectory(), in: run.context)
                await frozen.release()
                let record = try #require(summary.database("shop")?.record)
                let made = record.sequences.filter { $0.name.hasPrefix("s") }
                #expect(made.count == 1200 && record.missing.isEmpty)
                #expect(made.filter { $0.lastValue != nil }.map(\.name) == ["s1200"])
            }
        }
    }

    @Test("A sequence that another transaction alters is on record without its value, and not waited for")
    func lockedSequence() async throws {
        try await ClusterFixture.withShop { cluster in
            try await cluster.server.psql("create sequence altered; create sequence other", in: "shop")
            try await cluster.server.psql("select setval('altered', 5), setval('other', 6)", in: "shop")
            let locker = Task {
                try await cluster.server.psql(
                    "set application_name to locker; begin; alter sequence altered owned by none; select pg_sleep(600)",
                    in: "shop")
            }
            try await eventually { try await cluster.lockedSequences() != "0" }
            let run = TestRun()
            try await run.prepared(cluster.provider { $0.include = ["shop"] }) { source in
                try await cluster.server.psql(
                    "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'locker'")
                _ = try? await locker.value
                let frozen = try await source.freeze(in: run.context)
                let summary = try await frozen.dump(into: cluster.newDirectory(), in: run.context)
                await frozen.release()
                let record = try #require(summary.database("shop")?.record)
                #expect(record.sequences.filter { $0.name == "altered" }.map(\.lastValue) == [nil])
                #expect(record.sequences.filter { $0.name == "other" }.map(\.lastValue) == [6])
            }
        }
    }
}

extension ClusterFixture {
    /// How many sequences of `shop` any session has locked.
    fileprivate func lockedSequences() async throws -> String {
        try await server.psql(
            "select count(*) from pg_locks l join pg_class c on c.oid = l.relation where l.granted and c.relkind = 'S'",
            in: "shop")
    }
}

extension DumpSummary {
    func database(_ name: String) -> DatabaseContents? { databases.first { $0.name == name } }
}

extension DatabaseContents {
    /// pg_dump leaves them out.
    fileprivate var withoutInvalidIndexes: DatabaseContents {
        var contents = self
        contents.record?.objects["index", default: 0] -= Int64(record?.invalidIndexes.count ?? 0)
        contents.record?.invalidIndexes = []
        return contents
    }
}

extension PostgreSQLServer {
    func psqlFile(_ script: FilePath) async throws {
        try await Self.run(
            "psql", ["-Xq", "-v", "ON_ERROR_STOP=1", "-d", connection + " dbname=postgres", "-f", script.string])
    }
}

extension ClusterFixture {
    func copied(_ directory: FilePath) async throws -> FilePath {
        let copy = scratch.appending("copy")
        let copied = try await runProgram("cp", ["-r", directory.string, copy.string])
        let given = try await runProgram("chown", ["-R", PostgreSQLServer.user, copy.string])
        #expect(copied.succeeded && given.succeeded)
        return copy
    }

    func restore(_ dump: FilePath, _ programs: FilePath = PostgreSQLServer.binDirectory) async throws {
        try await PostgreSQLServer.run(
            "pg_restore",
            ["--exit-on-error", "--create", "-d", server.connection + " dbname=postgres", dump.string], in: programs)
    }

    /// A database `rich` with one of everything that is recorded, and roles for it.
    func createRecorded() async throws {
        try await server.psql(
            """
            create role reader nologin;
            create role "App User" login createdb password 's3cret' connection limit 3 valid until '2040-01-01Z';
            grant reader to "App User" with admin option;
            comment on role "App User" is 'the application';
            alter role all set work_mem = '6MB'
            """)
        try await server.psql("create database rich owner \"App User\" connection limit 7")
        try await server.psql(
            """
            comment on database rich is 'all of it';
            alter database rich set timezone = 'Asia/Tokyo';
            alter database rich set app.api_key = 's3cret';
            alter role "App User" in database rich set work_mem = '5MB';
            revoke connect on database rich from public;
            grant connect on database rich to reader
            """)
        try await server.psql(
            #"""
            create extension hstore;
            create table orders (id serial primary key, item text unique, tags hstore,
                constraint item_check check (item <> ''));
            insert into orders (item) values ('a'), ('b'), ('c');
            alter table orders add constraint later check (id > 0) not valid;
            create table lines (id int primary key, orders_id int references orders);
            create table "Straße 1" (a int, b text, "Äb" numeric(5, 2));
            alter table "Straße 1" drop column a;
            create index "Broken" on "Straße 1" (b);
            update pg_index set indisvalid = false where indexrelid = '"Broken"'::regclass;
            create table no_columns ();
            create table heir (extra int) inherits ("Straße 1");
            create table parted (id int, part text) partition by list (part);
            create table parted_a partition of parted for values in ('a');
            create view seen as select id, item from orders;
            create materialized view summary as select count(*) from orders;
            create rule hush as on insert to seen do instead nothing;
            create sequence counter; select setval('counter', 42);
            create sequence unused;
            create schema extra;
            create type extra.pair as (a int, b text);
            create type mood as enum ('good', 'bad');
            create domain positive as int check (value > 0);
            create function touch() returns trigger language plpgsql as $$ begin return new; end $$;
            create function ddl() returns event_trigger language plpgsql as $$ begin end $$;
            create procedure run() language sql as $$ select 1 $$;
            create trigger touched before update on orders for each row execute function touch();
            create event trigger watch on ddl_command_end execute function ddl();
            create policy own on orders using (id < 10);
            create publication news for table orders;
            create foreign data wrapper fdw; create server away foreign data wrapper fdw;
            create user mapping for reader server away options (password 's3cret');
            create statistics pairs on id, item from orders;
            create cast (extra.pair as text) with inout;
            create collation german (locale = 'C');
            alter default privileges grant select on tables to reader;
            create subscription feed connection 'host=/nowhere password=s3cret dbname=x' publication one, two
                with (connect = false);
            select lo_from_bytea(4711, 'a large object'), lo_from_bytea(4712, '')
            """#, in: "rich")
    }
}
