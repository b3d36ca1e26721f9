import Conformance
import DumpCore
import Linux
import SystemPackage
import TestSupport
import Testing

@testable import PostgreSQL

@Suite("Restoring databases beside what is there")
struct RestoreBesideTests {
    @Test(
        "A database is restored beside the live one, under a name that says so, with the same rows", arguments: [1, 2])
    func beside(jobs: Int) async throws {
        try await ClusterFixture.withShop { cluster in
            let dump = try await cluster.taken()
            try await cluster.server.psql("delete from orders where id > 100", in: "shop")
            let run = TestRun(slots: 2, jobsPerUnit: jobs)
            let outcome = try await cluster.restore(dump, in: run) { $0.items = ["shop"] }
            let time = run.context.runID.description.prefix { $0 != "-" }
            #expect(outcome.items.map(\.name) == ["shop_restored_\(time)"])
            #expect(outcome.items.map(\.item) == ["shop"] && outcome.isProven)
            #expect(try await cluster.databases() == ["app", "shop", "shop_restored_\(time)"])
            let count = "select count(*) from orders"
            #expect(try await cluster.server.psql(count, in: "shop_restored_\(time)") == "20000")
            #expect(try await cluster.server.psql(count, in: "shop") == "100")
            let analyzed = "select count(*) from pg_stats where schemaname = 'public'"
            #expect(try await cluster.server.psql(analyzed, in: "shop_restored_\(time)") == "5")
            #expect((run.context.journal as? MemoryJournal)?.open.isEmpty == true)
            try await eventually { try await cluster.leftovers().isEmpty }
        }
    }

    @Test("A restore of everything has a copy of each database, and one name can be given to one")
    func everything() async throws {
        try await ClusterFixture.withShop { cluster in
            let dump = try await cluster.taken()
            let outcome = try await cluster.restore(dump)
            #expect(outcome.items.map(\.item) == ["app", "shop"], "every server has the others, and they are empty")
            try await cluster.restore(dump) {
                $0.items = ["app"]
                $0.placement = .named("odd \"name\"")
            }
            #expect(try await cluster.server.psql("select * from settings", in: "odd \"name\"") == "a")
            let many = try await cluster.prepared(dump) { $0.placement = .named("one") }
            #expect(many.findings.first?.code == "restore_name_for_one")
        }
    }

    @Test(
        "All that belongs to the database itself comes back, by the manifest or by the archive alone",
        arguments: [true, false])
    func attributes(hasRecords: Bool) async throws {
        try await ClusterFixture.with { cluster in
            let creations = [
                "latin": "encoding 'LATIN1' lc_collate 'C' lc_ctype 'C'",
                "ascii": "encoding 'SQL_ASCII' lc_collate 'C' lc_ctype 'C'",
                "japan": "encoding 'EUC_JP' lc_collate 'C' lc_ctype 'C'",
                "icu": "locale_provider icu icu_locale 'de-AT' locale 'C.UTF-8'",
                "übung \"x\"": "encoding 'LATIN1' lc_collate 'C' lc_ctype 'C'",
            ]
            try await cluster.server.psql("create role \"Own er\" login password 'kept'; create role reader")
            for (name, options) in creations {
                try await cluster.server.psql("create database \(name.asIdentifier) template template0 \(options)")
                // Names too come in the encoding of the database.
                if options.hasPrefix("encoding") {
                    let table = (name == "japan" ? "表" : "größe").utf8.map { String($0, radix: 16) }.joined()
                    try await cluster.server.psql(
                        """
                        do $$ declare name text := convert_from('\\x\(table)', 'UTF8'); begin
                        execute format('create schema %1$I; create table %1$I.%1$I as select 1 as one', name); end $$
                        """, in: name)
                }
                try await cluster.server.run(
                    """
                    alter database NAME owner to "Own er";
                    alter database NAME connection limit 3;
                    alter database NAME is_template true;
                    alter database NAME set work_mem = '5MB';
                    alter database NAME set default_transaction_read_only = on;
                    alter database NAME set "app.key" = E'it''s \\\\ ü';
                    alter role reader in database NAME set timezone = 'Asia/Tokyo';
                    revoke all on database NAME from public;
                    grant connect on database NAME to reader with grant option;
                    comment on database NAME is 'all ''of'' it; ü'
                    """.replacing("NAME", with: name.asIdentifier), in: "postgres")
            }
            var dump = try await cluster.taken()
            if !hasRecords { dump = dump.old }
            let outcome = try await cluster.restore(dump) { $0.items = creations.keys.sorted() }
            for item in outcome.items {
                #expect(
                    try await cluster.attributes(of: item.name) == cluster.attributes(of: item.item), "\(item.item)")
                #expect(try await cluster.attributes(of: item.name).count > 6)
            }
            #expect(outcome.items.count == creations.count)
        }
    }

    @Test("The commands of the guide make a database with its locale, settings, privileges, limits and comment")
    func guide() async throws {
        try await ClusterFixture.with { cluster in
            try await cluster.server.run(
                """
                create role "own er" createdb;
                create role reader;
                create database icu template template0 locale_provider icu icu_locale 'de-AT' locale 'C.UTF-8' owner "own er";
                alter database icu connection limit 3;
                alter database icu set work_mem = '5MB';
                alter database icu set search_path = a, "b c";
                alter role reader in database icu set timezone = 'Asia/Tokyo';
                revoke all on database icu from public;
                grant connect on database icu to reader with grant option;
                grant create on database icu to reader;
                comment on database icu is 'all ''of'' it; ü'
                """, in: "postgres")
            let dump = try await cluster.taken()
            let record = try #require(dump.record.databases.first { $0.name == "icu" }?.record)
            let guide = DatabaseGuide(record: record, name: "odd \"copy")
            for statement in [guide.creation] + guide.attributes { try await cluster.server.psql(statement) }
            let (old, new) = (try await cluster.attributes(of: "icu"), try await cluster.attributes(of: "odd \"copy"))
            #expect(old == new && old.count == 6)
            var hidden = record
            hidden.settings = [SettingRecord(role: nil, "app.key=x")]
            #expect(
                DatabaseGuide(record: hidden, name: "icu").attributes.first
                    == "-- alter database \"icu\" set app.key to …; the archive has its value")
            let printed = cluster.restorer().guide(to: cluster.request { $0.items = ["icu"] }, of: dump.record)
            #expect(
                printed.contains { $0.contains("icu_locale") } && printed.contains { $0.contains("with grant option") })
        }
    }

    @Test("A subscription of a restored database has no slot, so that dropping it leaves the publisher alone")
    func subscription() async throws {
        try await ClusterFixture.withShop { cluster in
            try await cluster.server.psql(
                "create subscription feed connection 'host=nowhere' publication p with (connect = false, slot_name = live)",
                in: "shop")
            let dump = try await cluster.taken()
            let outcome = try await cluster.restore(dump) { $0.items = ["shop"] }
            let name = try #require(outcome.items.first?.name)
            let state = "select subenabled, subslotname is null from pg_subscription where subdbid = "
            #expect(
                try await cluster.server.psql(state + "(select oid from pg_database where datname = '\(name)')")
                    == "f|t")
            #expect(
                try await cluster.server.psql(state + "(select oid from pg_database where datname = 'shop')") == "f|f")
        }
    }

    @Test("PostgreSQL 18 restores a dump of 15 and its own, and one of its own is no dump for 15")
    func eighteen() async throws {
        try await withScratch { scratch in
            try await PostgreSQLServer.with18(in: scratch) { server, programs in
                let newer = ClusterFixture(scratch: scratch, server: server)
                try await newer.createShop()
                let ofNewer = try await newer.taken("dump18") { $0.binDirectory = programs }
                let outcome = try await newer.restore(ofNewer, by: newer.restorer(programs)) { $0.items = ["shop"] }
                #expect(outcome.isProven)
                let elsewhere = scratch.appending("15")
                try FileSystem.createDirectory(elsewhere, mode: 0o755)
                try await PostgreSQLServer.with(in: elsewhere) { server in
                    let older = ClusterFixture(scratch: elsewhere, server: server)
                    try await older.createShop()
                    let findings = try await older.prepared(ofNewer) { $0.items = ["shop"] }.findings
                    let codes = findings.filter { $0.severity == .failure }.map(\.code)
                    #expect(codes == ["restore_server_too_old", "pg_restore_unsuitable"])
                    let ofOlder = try await older.taken("dump15")
                    let upwards = try await newer.restore(ofOlder, by: newer.restorer(programs)) { $0.items = ["app"] }
                    #expect(upwards.isProven)
                }
            }
        }
    }
}
