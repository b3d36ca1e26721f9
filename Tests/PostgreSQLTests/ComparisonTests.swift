import Conformance
import DumpCore
import Linux
import SystemPackage
import TestSupport
import Testing

@testable import PostgreSQL

@Suite("A restored database compared with the manifest")
struct ComparisonTests {
    @Test("A restored database of everything, and its cluster, equal the manifest in every fact")
    func restored() async throws {
        try await ComparisonFixture.with { source in
            try await ClusterFixture.with { target in
                try await source.restore(to: target)
                let result = try await source.examined(on: target.server)
                #expect(result.comparison.differences == [])
                #expect(result.comparison.notCompared == [])
                #expect(result.findings == [])
                #expect(
                    Set(result.comparison.compared.keys) == [
                        "rows", "columns", "objects", "invalid_indexes", "constraints", "large_objects",
                        "subscriptions", "sequences", "extensions", "encoding", "locale", "owner", "connection_limit",
                        "is_template", "tablespace", "comment", "grants", "settings",
                    ])
                #expect(result.comparison.compared["rows"] == Int64(source.contents.tables.count))
                let cluster = try await source.clusterComparison(on: target.server)
                #expect(cluster.differences == [] && cluster.notCompared == [])
                #expect(cluster.compared == ["roles": 3, "memberships": 1, "role_settings": 1])
            }
        }
    }

    @Test("A database of PostgreSQL 15 that is restored on 18 equals the manifest")
    func newerMajor() async throws {
        try await ComparisonFixture.with { source in
            let elsewhere = source.cluster.scratch.appending("18")
            try FileSystem.createDirectory(elsewhere, mode: 0o711)
            try await PostgreSQLServer.with18(in: elsewhere) { server, programs in
                try await source.restore(to: ClusterFixture(scratch: elsewhere, server: server), programs)
                let result = try await source.examined(on: server, major: 18)
                #expect(result.comparison.differences == [])
                #expect(result.comparison.notCompared == [])
                let cluster = try await source.clusterComparison(on: server, major: 18)
                #expect(cluster.differences == [] && cluster.notCompared == [])
            }
        }
    }

    /// A change, what it makes differ, and what takes it back.
    private static let changes: [(change: String, differing: [String], back: String)] = [
        ("delete from orders where id = 3", ["rows public.orders"], "insert into orders (id, item) values (3, 'c')"),
        ("insert into heir (extra) values (1)", ["rows public.heir"], "delete from heir"),
        ("insert into parted values (1, 'a')", ["rows public.parted_a"], "delete from parted"),
        (
            "alter table lines alter orders_id type bigint",
            ["columns public.lines"], "alter table lines alter orders_id type int"
        ),
        (
            "create or replace view seen as select id, item, 1 as more from orders",
            ["columns tables, views and types together"],
            "drop view seen; create view seen as select id, item from orders; "
                + "create rule hush as on insert to seen do instead nothing"
        ),
        (
            "create index added on orders (tags)", ["objects index"], "drop index added"
        ),
        (
            "drop trigger touched on orders", ["objects trigger"],
            "create trigger touched before update on orders for each row execute function touch()"
        ),
        (
            "update pg_index set indisvalid = false where indexrelid = 'orders_pkey'::regclass",
            ["objects index", "invalid_indexes public.orders_pkey"],
            "update pg_index set indisvalid = true where indexrelid = 'orders_pkey'::regclass"
        ),
        (
            "alter table orders drop constraint item_check", ["constraints check"],
            "alter table orders add constraint item_check check (item <> '')"
        ),
        (
            "alter table orders rename constraint item_check to other", ["constraints tables and names"],
            "alter table orders rename constraint other to item_check"
        ),
        ("alter sequence counter restart 7", ["sequences public.counter"], "select setval('counter', 42)"),
        ("select setval('counter', 41)", ["sequences public.counter"], "select setval('counter', 42)"),
        ("select setval('counter', 43)", [], "select setval('counter', 42)"),
        ("drop sequence unused", ["objects sequence", "sequences public.unused"], "create sequence unused"),
        (
            "revoke connect on database rich from reader", ["grants c to reader by its owner"],
            "grant connect on database rich to reader"
        ),
        (
            "grant create on database rich to reader",
            ["grants c to reader by its owner", "grants Cc to reader by its owner"],
            "revoke create on database rich from reader"
        ),
        (
            "alter database rich owner to postgres", ["owner database"], "alter database rich owner to \"App User\""
        ),
        (
            "alter database rich set timezone = 'UTC'", ["settings TimeZone"],
            "alter database rich set timezone = 'Asia/Tokyo'"
        ),
        ("alter database rich set app.api_key = 'other'", [], "select 1"),
        (
            "alter role \"App User\" in database rich reset all", ["settings work_mem for App User"],
            "alter role \"App User\" in database rich set work_mem = '5MB'"
        ),
        ("comment on database rich is null", ["comment database"], "comment on database rich is 'all of it'"),
        (
            "alter database rich connection limit 8", ["connection_limit database"],
            "alter database rich connection limit 7"
        ),
        ("alter database rich is_template true", ["is_template database"], "alter database rich is_template false"),
        (
            "alter extension hstore set schema extra", ["columns public.orders", "extensions hstore"],
            "alter extension hstore set schema public"
        ),
        ("select lo_unlink(4711)", ["large_objects database"], "select lo_from_bytea(4711, 'a large object')"),
        (
            "alter subscription feed rename to other", ["subscriptions feed"], "alter subscription other rename to feed"
        ),
    ]

    @Test("Each change of a database is the difference that it is, and no other")
    func eachChange() async throws {
        try await ComparisonFixture.with { source in
            let server = source.cluster.server
            #expect(try await source.differences(on: server) == [])
            for (change, differing, back) in Self.changes {
                try await server.psql(change, in: "rich")
                let found = try await source.differences(on: server)
                #expect(found == differing, "\(change)")
                try await server.psql(back, in: "rich")
            }
            #expect(try await source.differences(on: server) == [])
        }
    }

    @Test("Each change of roles is the difference that it is, and no other")
    func eachRole() async throws {
        try await ComparisonFixture.with { source in
            let server = source.cluster.server
            func differences() async throws -> [RestoreComparison.Difference] {
                try await source.clusterComparison(on: server).differences
            }
            #expect(try await differences() == [])
            try await server.psql("create role added")
            #expect(try await differences() == [])
            try await server.psql("alter role \"App User\" nocreatedb")
            #expect(
                try await differences() == [
                    RestoreComparison.Difference(
                        fact: "roles", object: "App User",
                        expected:
                            "createdb inherit login, at most 3 connections, until 2040-01-01T00:00:00Z, comment 'the application'",
                        found:
                            "inherit login, at most 3 connections, until 2040-01-01T00:00:00Z, comment 'the application'"
                    )
                ])
            try await server.psql("alter role \"App User\" createdb; revoke admin option for reader from \"App User\"")
            #expect(
                try await differences() == [
                    RestoreComparison.Difference(
                        fact: "memberships", object: "App User in reader", expected: "admin", found: "none like it")
                ])
            try await server.psql("grant reader to \"App User\" with admin option; alter role all set work_mem = '7MB'")
            #expect(
                try await differences().map(\.description) == [
                    "role_settings of work_mem: 6MB in the manifest, 7MB restored"
                ])
        }
    }

    @Test("Another version of an extension or of a collation is remarked on, and no difference")
    func versions() async throws {
        try await ComparisonFixture.with { source in
            let server = source.cluster.server
            try await server.psql("update pg_extension set extversion = '1.0' where extname = 'hstore'", in: "rich")
            try await server.psql("update pg_database set datcollversion = 'old' where datname = 'rich'")
            var dump = source.dump
            dump.databases[0].record?.locale.collationVersion = "new"
            let result = try await ComparisonFixture.session(in: "rich", of: server) { [dump] session in
                try await DatabaseComparison(dump.databases[0], of: dump).examine(in: session, major: 15)
            }
            #expect(result.comparison.differences == [])
            #expect(result.findings.map(\.code) == ["extension_version_differs", "collation_version_differs"])
            #expect(
                result.findings.first?.message
                    == "extension hstore of database 'rich' is restored in version 1.0, and was 1.8")
        }
    }

    @Test("What the manifest lacks is not compared, and named")
    func olderManifest() async throws {
        try await ComparisonFixture.with { source in
            let server = source.cluster.server
            var older = source.contents
            older.record = nil
            older.tables = older.tables.map(\.withoutColumns)
            let bare = try await ComparisonFixture.session(in: "rich", of: server) { [older] session in
                try await DatabaseComparison(older).compare(in: session, major: 15)
            }
            #expect(bare.compared == ["rows": Int64(older.tables.count)])
            #expect(bare.differences == [] && bare.notCompared.count == 17)

            var partly = source.contents
            partly.record?.missing = ["sequences", "constraints"]
            let most = try await ComparisonFixture.session(in: "rich", of: server) { [partly] session in
                try await DatabaseComparison(partly).compare(in: session, major: 15)
            }
            #expect(most.differences == [] && most.notCompared == ["constraints", "sequences"])

            var dump = source.dump
            dump.cluster = nil
            let none = try await ComparisonFixture.session(in: "postgres", of: server) { [dump] session in
                try await ClusterComparison(of: dump).compare(in: session, major: 15)
            }
            #expect(none.compared == [:] && none.notCompared.count == 4)
        }
    }

    @Test("Rows are those that a dump takes: of heirs, partitions and an extension's configuration each by itself")
    func rowsOfDumps() async throws {
        let change = """
            insert into heir (extra) values (1), (2); insert into parted values (1, 'a');
            create table marked (id int); insert into marked values (1), (2), (3);
            alter extension hstore add table marked;
            update pg_extension set extconfig = array['marked'::regclass::oid], extcondition = array['where id > 1']
                where extname = 'hstore'
            """
        try await ComparisonFixture.with(change) { source in
            let rows = Dictionary(source.contents.tables.map { ($0.name, $0.rows) }) { first, _ in first }
            #expect(rows["heir"] == 2 && rows["Straße 1"] == 0 && rows["marked"] == 2)
            #expect(rows["parted_a"] == 1 && rows["parted"] == nil)
            let differences = try await source.differences(on: source.cluster.server)
            #expect(differences == [])
        }
    }

    @Test("Several sessions count what one counts")
    func severalSessions() async throws {
        try await ComparisonFixture.with("create table more (id int); insert into more values (1)") { source in
            let server = source.cluster.server
            try await ComparisonFixture.session(in: "rich", of: server) { one in
                try await ComparisonFixture.session(in: "rich", of: server) { other in
                    let result = try await DatabaseComparison(source.contents)
                        .examine(in: one, beside: [other], major: 15)
                    #expect(result.comparison.differences == [])
                    #expect(result.comparison.compared["rows"] == Int64(source.contents.tables.count))
                }
            }
        }
    }

    @Test("A foreign key that the dump marks NOT VALID is no difference, and its validity not compared")
    func brokenForeignKey() async throws {
        let change = """
            set session_replication_role = replica; insert into lines values (1, 99)
            """
        try await ComparisonFixture.with(change) { source in
            try await ClusterFixture.with { target in
                try await source.restore(to: target)
                let comparison = try await source.examined(on: target.server).comparison
                #expect(comparison.differences == [])
                #expect(
                    comparison.notCompared == [
                        "validity of constraints (the dump has foreign keys NOT VALID that rows break)"
                    ])
            }
        }
    }

    @Test("Of thousands of differences in one fact a hundred are named, and the rest is counted")
    func manyDifferences() {
        var result = ComparisonResult()
        for number in 1...250 { result.expect("rows", of: "t\(number)", 1, found: 0) }
        result.expect("owner", of: "database", "a", found: "b")
        let comparison = result.comparison
        #expect(comparison.differences.count == 102)
        #expect(comparison.differences.last?.object == "150 more")
        #expect(comparison.compared == ["rows": 250, "owner": 1])
    }

    @Test("Names that Unicode calls equivalent are two names")
    func equivalentNames() {
        var result = ComparisonResult()
        result.expect("owner", of: "database", "caf\u{E9}", found: "cafe\u{301}")
        #expect(result.comparison.differences.count == 1)
    }
}
