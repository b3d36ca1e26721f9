import Conformance
import DumpCore
import Linux
import SystemPackage
import TestSupport
import Testing

@testable import PostgreSQL

@Suite("What stands in the way of a restore")
struct RestoreRefusalTests {
    @Test("Everything that is missing is told at once, before anything is created")
    func missing() async throws {
        try await withTwoClusters { source, target in
            try await source.createOwnedShop()
            try await source.createTablespace("fast")
            try await source.server.psql(
                "create table far (id int) tablespace fast; create extension hstore", in: "shop")
            var dump = try await source.taken()
            let shop = try #require(dump.record.databases.firstIndex { $0.name == "shop" })
            dump.record.databases[shop].record?.locale.collate = "xx_XX.utf8"
            dump.record.databases[shop].record?.encoding = "KLINGON"
            dump.record.databases[shop].record?.owner = "nowhere"
            dump.record.databases[shop].record?.extensions += ["no_such", "citus"].map {
                ExtensionRecord(name: $0, version: "1.0", schema: "public")
            }
            dump.record.cluster?.preloadLibraries["shared_preload_libraries"] = "citus, $libdir/auto_explain"
            try await target.server.psql("create role other")
            let before = try await target.inventory()
            let prepared = try await target.prepared(dump) { $0.items = ["shop"] }
            let failures = prepared.findings.filter { $0.severity == .failure }
            #expect(
                failures.map(\.code).sorted() == [
                    "encoding_unknown", "extension_unavailable", "extension_unavailable", "locale_unavailable",
                    "preload_library_missing", "role_missing", "tablespace_missing",
                ])
            #expect(failures.allSatisfy { $0.hint != nil })
            #expect(failures.first { $0.code == "role_missing" }?.hint == "Run: CREATE ROLE \"nowhere\"")
            #expect(
                prepared.findings.filter { $0.code == "preload_library_missing" }.map(\.object)
                    == ["citus", "auto_explain"])
            let error = try await dumpError {
                _ = try await prepared.restore(from: dump.directory, in: TestRun().context)
            }
            #expect(error.code == .settings)
            #expect(try await target.inventory() == before)
        }
    }

    @Test("A locale that the server cannot use is told in its own words")
    func locales() async throws {
        try await ClusterFixture.withShop { cluster in
            var dump = try await cluster.taken()
            let shop = try #require(dump.record.databases.firstIndex { $0.name == "shop" })
            dump.record.databases[shop].record?.locale.ctype = "xx_XX.utf8"
            let finding = try #require(try await cluster.prepared(dump).findings.first)
            #expect(
                finding.message
                    == "database 'shop' has the locale 'xx_XX.utf8', which the server cannot use: could not create locale \"xx_XX.utf8\": No such file or directory"
            )
            dump.record.databases[shop].record?.locale = LocaleRecord(
                provider: "builtin", collate: "C", ctype: "C", name: "C.UTF-8")
            #expect(
                try await cluster.prepared(dump).findings.first?.hint == "Restore it to PostgreSQL 17 or newer.")
        }
    }

    @Test("A database that the dump does not have is refused, with the name that was meant")
    func unknownDatabase() async throws {
        try await ClusterFixture.withShop { cluster in
            let dump = try await cluster.taken()
            let finding = try #require(try await cluster.prepared(dump) { $0.items = ["shpo"] }.findings.first)
            #expect(finding.message == "the dump has no database 'shpo'" && finding.hint == "Did you mean 'shop'?")
        }
    }

    @Test("A script of a whole cluster is refused, with the command that restores it")
    func script() async throws {
        try await ClusterFixture.withShop { cluster in
            let dump = try await cluster.taken { $0.layout = .cluster }
            let findings = try await cluster.prepared(dump).findings
            let finding = try #require(findings.first { $0.severity == .failure })
            #expect(
                finding.code == "restore_of_script"
                    && finding.hint?.contains("psql -X -v ON_ERROR_STOP=1 -d postgres -f ") == true)
        }
    }

    @Test(
        "A name that is taken, too long or empty is refused", arguments: ["app", "", String(repeating: "ü", count: 32)])
    func names(name: String) async throws {
        try await ClusterFixture.withShop { cluster in
            let dump = try await cluster.taken()
            let finding = try #require(
                try await cluster.prepared(dump) {
                    $0.items = ["shop"]
                    $0.placement = .named(name)
                }.findings.first)
            #expect(finding.severity == .failure && finding.object == name)
        }
    }

    @Test("A role that is not a superuser is told what it lacks")
    func ordinaryRole() async throws {
        try await ClusterFixture.withShop { cluster in
            let dump = try await cluster.taken()
            try await cluster.server.psql("create role app login password 'pw'")
            // What a password file would do, without a line in the environment.
            try await cluster.server.psql("alter role app set role to 'app'")
            let passfile = cluster.scratch.appending("passfile")
            try write("*:*:*:*:pw\n", to: passfile)
            try PostgreSQLServer.own(passfile)
            let change = { @Sendable (request: inout RestoreRequest) in
                request.items = ["shop"]
                request.target = "\(cluster.server.connection(as: "app")) passfile=\(passfile) dbname=postgres"
            }
            #expect(
                try await cluster.prepared(dump, change).findings.first?.code == "restore_needs_createdb")
            try await cluster.server.psql("alter role app createdb")
            let findings = try await cluster.prepared(dump, change).findings
            #expect(findings.allSatisfy { $0.severity != .failure })
            #expect(findings.contains { $0.code == "restore_role_limited" })
            let error = try await dumpError {
                try await cluster.restore(dump) {
                    change(&$0)
                    $0.target! += " password=s3cret"
                }
            }
            #expect(!"\(error)".contains("s3cret") && error.message.contains("holds a password"))
        }
    }

    @Test("A standby takes no restore")
    func standby() async throws {
        try await ClusterFixture.withShop { cluster in
            let dump = try await cluster.taken()
            try await cluster.server.withStandby(in: cluster.scratch) { standby in
                let findings = try await cluster.prepared(dump) { $0.target = standby.connection }.findings
                #expect(findings.map(\.code) == ["restore_to_standby"])
            }
        }
    }
}
