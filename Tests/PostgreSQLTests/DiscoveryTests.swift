import Conformance
import DumpCore
import PostgreSQL
import SystemPackage
import TestSupport
import Testing

@Suite("What prepare finds in a cluster")
struct DiscoveryTests {
    @Test(
        "Every database that accepts connections is a unit of its own, as pg_dumpall chooses them, beside the globals")
    func units() async throws {
        try await ClusterFixture.withShop { cluster in
            try await TestRun().prepared(cluster.provider()) { source in
                #expect(source.findings.ofTheSource == [])
                #expect(source.units.map(\.name) == ["app", "postgres", "shop", "template1", "globals"])
                #expect(
                    source.units.map(\.path) == [
                        "databases/app", "databases/postgres", "databases/shop", "databases/template1", "globals.sql",
                    ])
                let sizes = source.units.map(\.estimatedBytes)
                #expect(sizes[2] == sizes.max())
                #expect(sizes[2] > 1 << 20 && sizes[2] < 10 << 20, "indexes and catalogs aside, \(sizes[2])")
            }
            let whole = cluster.provider { $0.layout = .cluster }
            try await TestRun().prepared(whole) { source in
                #expect(source.units.map(\.path) == ["all.sql"])
            }
        }
    }

    @Test("Globs include and exclude, and what was left out is an omission")
    func globs() async throws {
        try await ClusterFixture.with { cluster in
            for name in ["shop_a", "shop_b", "shop_scratch", "other"] {
                try await cluster.server.psql("create database \(name)")
            }
            let provider = cluster.provider {
                $0.include = ["shop_?", "shop_scr*", "other"]
                $0.exclude = ["*_scratch"]
            }
            let run = TestRun()
            try await run.prepared(provider) { source in
                #expect(source.units.map(\.name) == ["other", "shop_a", "shop_b", "globals"])
                #expect(source.findings.ofTheSource == [])
                let summary = try await run.dump(source, into: cluster.newDirectory())
                #expect(summary.databases.map(\.name) == ["other", "shop_a", "shop_b"])
                let excluded = summary.omissions.filter { $0.code == "database_excluded" }
                #expect(excluded.map(\.object) == ["postgres", "shop_scratch", "template1"])
                #expect(excluded == source.omissions.filter { $0.code == "database_excluded" })
            }
        }
    }

    @Test("A name that no database has is a failure that names those that come near")
    func typo() async throws {
        try await ClusterFixture.withShop { cluster in
            let provider = cluster.provider {
                $0.include = ["shpo", "app"]
                $0.exclude = ["warehouse"]
            }
            try await TestRun().prepared(provider) { source in
                #expect(
                    source.findings.ofTheSource == [
                        Finding(
                            .failure, "database_not_found", object: "shpo", "no database is called 'shpo'",
                            hint: "Did you mean 'shop'?"),
                        Finding(
                            .failure, "database_not_found", object: "warehouse", "no database is called 'warehouse'",
                            hint: "The server has 'app', 'postgres', 'shop', 'template1'."),
                    ])
            }
        }
    }

    @Test("Nothing to dump is a failure, not an empty dump")
    func nothing() async throws {
        try await ClusterFixture.with { cluster in
            try await TestRun().prepared(cluster.provider { $0.include = ["nothing*"] }) { source in
                let findings = source.findings.ofTheSource
                #expect(findings.map(\.code) == ["no_database_selected", "pattern_unmatched"])
                #expect(findings[1].message == "pattern 'nothing*' of databases: matches no database")
                #expect(findings[1].severity == .note)
                #expect(
                    findings[0].message
                        == "no database is left to dump: 2 on the server, none included or all excluded")
            }
        }
    }

    @Test("A database that accepts no connections is a warning and an omission, and a failure when it was named")
    func notConnectable() async throws {
        try await ClusterFixture.withShop { cluster in
            try await cluster.server.psql("alter database app allow_connections false")
            try await cluster.server.psql("update pg_database set datconnlimit = -2 where datname = 'shop'")
            let run = TestRun()
            try await run.prepared(cluster.provider()) { source in
                #expect(source.findings.ofTheSource == [])
                let missed = source.omissions.filter { $0.code.hasPrefix("database_") }
                #expect(missed.map(\.severity) == [.warning, .warning])
                #expect(missed.map(\.code) == ["database_not_connectable", "database_invalid"])
                #expect(
                    missed.map(\.message) == [
                        "database 'app' accepts no connections and cannot be dumped",
                        "database 'shop' is the rest of an interrupted DROP DATABASE",
                    ])
                let summary = try await run.dump(source, into: cluster.newDirectory())
                #expect(summary.omissions == source.omissions)
                #expect(summary.databases.map(\.name) == ["postgres", "template1"])
            }
            try await TestRun().prepared(cluster.provider { $0.include = ["app", "*"] }) { source in
                #expect(source.omissions.prefix(2).map(\.severity) == [.failure, .warning])
            }
        }
    }

    @Test("What the role may not do is found before it fails")
    func weakRole() async throws {
        try await ClusterFixture.withShop { cluster in
            try await cluster.server.psql(
                """
                create role weak login password 'weak-password';
                revoke connect on database shop from public;
                """)
            func provider(_ exclude: [String]) -> PostgreSQLProvider {
                cluster.provider(password: Secret("weak-password")) {
                    $0.connection = cluster.server.connection(as: "weak")
                    $0.runAs = nil
                    $0.exclude = exclude
                }
            }
            try await TestRun().prepared(provider([])) { source in
                #expect(
                    source.findings.ofTheSource.map(\.code) == [
                        "database_connect_denied", "role_reads_not_all", "sessions_hidden",
                    ])
                #expect(source.findings[0].severity == .failure)
                #expect(source.findings[0].message == "the role may not connect to database 'shop'")
                #expect(
                    source.findings.ofTheSource[1].message
                        == "role 'weak' is neither superuser nor member of pg_read_all_data: it may fail to read some table"
                )
            }
            let run = TestRun()
            let directory = try cluster.newDirectory()
            let summary = try await run.dump(provider(["shop", "app"]), into: directory)
            #expect(summary.omissions.contains { $0.code == "role_passwords_unreadable" })
            let globals = try read(directory.appending("globals.sql"))
            #expect(globals.contains("CREATE ROLE weak;") && !globals.contains("PASSWORD"))

            // A table that it may not read: `settings` belongs to postgres.
            let error = try await dumpError {
                try await run.dump(provider(["shop"]), into: cluster.newDirectory("app"))
            }
            #expect(error.message == "pg_dump of database 'app' exited with status 1")
            #expect(error.hint?.hasPrefix("Grant the role what it lacks: GRANT pg_read_all_data") == true)
            #expect(error.context["stderr"]?.contains("permission denied for table settings") == true)
        }
    }
}
