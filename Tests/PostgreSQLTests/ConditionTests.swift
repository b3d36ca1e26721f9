import Conformance
import DumpCore
import Linux
import PostgreSQL
import SystemPackage
import TestSupport
import Testing

/// Of a server or a database, before it is dumped.
@Suite("What makes a dump or its restore doubtful")
struct ConditionTests {
    @Test("A server that goes on after a wrong checksum is told")
    func ignoredChecksums() async throws {
        try await ClusterFixture.withShop { cluster in
            #expect(try await cluster.findings("checksum_failure_ignored") == [])
            try await cluster.server.psql("alter role postgres in database shop set ignore_checksum_failure = on")
            let found = try await cluster.findings("checksum_failure_ignored")
            #expect(found.map(\.object) == ["shop"])
            #expect(found.map(\.severity) == [.warning])
        }
    }

    @Test("Checksum failures that the server has counted are told, with the database")
    func checksumFailures() async throws {
        try await ClusterFixture.withShop { cluster in
            let data = cluster.server.directory.appending("data")
            let path = try await cluster.server.psql("checkpoint; select pg_relation_filepath('orders')", in: "shop")
            try await cluster.server.stop()
            try await PostgreSQLServer.run("pg_checksums", ["--enable", "--no-sync", "-D", data.string])
            let file = try FileDescriptor.open(data.pushing(FilePath(path)), .readWrite)
            try file.closeAfter { _ = try file.writeAll(toAbsoluteOffset: 4000, [1, 2, 3]) }
            try await cluster.server.start()
            #expect(try await cluster.findings("checksum_failures") == [])

            _ = try? await cluster.server.psql("select count(note) from orders", in: "shop")
            let found = try await cluster.findings("checksum_failures")
            #expect(found.map(\.object) == ["shop"])
            #expect(
                found.first?.message.hasPrefix(
                    "the server counted 1 checksum failure in database 'shop', the last at 20") == true)
        }
    }

    @Test("A collation that is of another version than the server's library is told, of databases and of columns")
    func collationVersions() async throws {
        try await ClusterFixture.withShop { cluster in
            try await cluster.server.psql(
                "create database sorted template template0 locale_provider icu icu_locale 'und' locale 'C'")
            try await cluster.server.psql(
                """
                create collation used (provider = icu, locale = 'und'); create collation unused (provider = icu, locale = 'und');
                create table names (name text collate used);
                """, in: "shop")
            #expect(try await cluster.findings("collation_version_mismatch") == [])

            try await cluster.server.psql("update pg_database set datcollversion = '1' where datname = 'sorted'")
            try await cluster.server.psql(
                "update pg_collation set collversion = '1' where collname in ('used', 'unused')", in: "shop")
            let found = try await cluster.findings("collation_version_mismatch")
            #expect(found.map(\.object).sorted() == ["shop.public.used", "sorted"])
            #expect(
                found.allSatisfy { $0.message.contains("is of version 1, and the server's library sorts by version ") })
            let elsewhere = try await cluster.findings("collation_version_mismatch") { $0.include = ["app"] }
            #expect(elsewhere == [])
        }
    }

    @Test("Columns of type money are told with the format that they are dumped in")
    func money() async throws {
        try await ClusterFixture.withShop { cluster in
            try await cluster.server.psql("create table prices (price money, prices money[])", in: "shop")
            #expect(
                try await cluster.findings("money_format").map(\.message) == [
                    "2 columns of type money in database 'shop', first public.prices.price, dumped in the format of lc_monetary 'C.UTF-8'"
                ])
        }
    }

    @Test("What a restore calls with an empty search_path, and what does not work then, is told")
    func searchPath() async throws {
        try await ClusterFixture.withShop { cluster in
            try await cluster.server.psql(
                """
                create function norm(text) returns text immutable language sql as 'select lower($1)';
                create function bad(text) returns text immutable language sql as 'select norm($1)';
                create function fixed(text) returns text immutable language sql set search_path = public as 'select norm($1)';
                create function full_name(text) returns text immutable language sql as 'select public.norm($1)';
                create function atomic(text) returns text immutable language sql return norm($1);
                create table t (a text, b text generated always as (bad(a)) stored, check (bad(a) <> 'x'));
                create index by_bad on t (bad(a)); create index by_fixed on t (fixed(a));
                create index by_full_name on t (full_name(a)); create index by_atomic on t (atomic(a));
                create materialized view m as select bad(a) from t;
                create view harmless as select bad(a) from t;
                """, in: "shop")
            let found = try await cluster.findings("search_path_needed")
            #expect(
                Set(found.map(\.object)) == [
                    "shop.public.by_bad", "t_a_check on shop.public.t", "of shop.public.t.b",
                    "shop.public.m",
                ])
            #expect(
                found.first { $0.object == "shop.public.by_bad" }?.message
                    == "index shop.public.by_bad calls public.bad(pg_catalog.text), which finds 'norm' by search_path: "
                    + "in a restore that path is empty, and it may fail there")
        }
    }

    @Test("Settings of all roles are in the scripts, as the server has them", arguments: ["databases", "cluster"])
    func settingsOfAllRoles(layout: String) async throws {
        try await ClusterFixture.with { cluster in
            for setting in [
                "work_mem = '7MB'", "search_path = \"$user\", \"Odd, \"\"one\"\"\", public", "DateStyle = 'ISO, DMY'",
                "my.own = E'it''s \\\\'",
            ] {
                try await cluster.server.psql("alter role all set \(setting)")
            }
            let settings = "select setconfig from pg_db_role_setting where setdatabase = 0 and setrole = 0"
            let before = try await cluster.server.psql(settings)
            let directory = try cluster.newDirectory()
            let provider = cluster.provider { $0.layout = layout == "cluster" ? .cluster : .databases }
            try await TestRun().dump(provider, into: directory)
            try await cluster.server.psql("alter role all reset all")
            let script = try read(directory.appending(layout == "cluster" ? "all.sql" : "globals.sql"))
            let statements = script.split(separator: "\n").filter { $0.hasPrefix("ALTER ROLE ALL SET ") }
            #expect(statements.count == 4)
            for statement in statements { try await cluster.server.psql(String(statement)) }
            #expect(try await cluster.server.psql(settings) == before)
        }
    }

    @Test(
        "A sequence that is set back while it is dumped is told, and one that goes on is not", arguments: [true, false])
    func sequences(isSetBack: Bool) async throws {
        try await ClusterFixture.withShop { cluster in
            try await cluster.server.psql(
                """
                create sequence up; create sequence down increment -1; create sequence around cycle; create sequence fresh;
                select setval('up', 100), setval('down', -100), setval('around', 100);
                """, in: "shop")
            let change =
                isSetBack
                ? "select setval('up', 1), setval('down', -7), setval('around', 1)"
                : "select nextval('up'), nextval('down'), nextval('fresh'), setval('around', 1)"
            let psql = "psql -Xq -d \"host='\(cluster.server.directory)' dbname=shop\" -c"
            let provider = cluster.provider {
                $0.include = ["shop"]
                $0.binDirectory = try? cluster.clientPrograms(
                    pgDump: "\(psql) \"\(change)\" > /dev/null; exec $REAL/pg_dump \"$@\"")
            }
            let found = try await TestRun().dump(provider, into: cluster.newDirectory()).findings
            #expect(found.map(\.object) == (isSetBack ? ["shop.public.up", "shop.public.down"] : []))
            #expect(found.allSatisfy { $0.code == "sequence_set_back" })
            guard isSetBack else { return }
            #expect(
                found.first?.message
                    == "sequence public.up of database 'shop' was set back from 100 to 1 while it was dumped: "
                    + "dumped rows may have the numbers that it gives next")
        }
    }
}

extension ClusterFixture {
    /// The findings of one kind of prepare.
    fileprivate func findings(
        _ code: String, _ change: (inout PostgreSQLSettings) -> Void = { _ in }
    ) async throws -> [Finding] {
        try await TestRun().prepared(provider(change)) { source in source.findings.filter { $0.code == code } }
    }
}
