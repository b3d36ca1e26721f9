import Conformance
import DumpCore
import Linux
import SystemPackage
import TestSupport
import Testing

@testable import PostgreSQL

@Suite("Another major version")
struct VersionTests {
    @Test("PostgreSQL 18 is frozen at one instant and dumped by its own clients, and restores to the same rows")
    func eighteen() async throws {
        try await withScratch { scratch in
            try await PostgreSQLServer.with18(in: scratch) { server, programs in
                let cluster = ClusterFixture(scratch: scratch, server: server)
                try await cluster.createShop()
                // New in 17: it would end the sessions that hold the snapshots.
                try await server.psql(
                    "alter role postgres set transaction_timeout = '2s'; alter role postgres set statement_timeout = '2500ms'"
                )
                let run = TestRun()
                let directory = try cluster.newDirectory()
                let provider = cluster.provider { $0.binDirectory = programs }
                let summary = try await run.prepared(provider) { source in
                    let frozen = try await source.freeze(in: run.context)
                    // Longer than the timeouts: a snapshot that was lost would fail the dump.
                    try await Task.sleep(for: .seconds(3))
                    let summary = try await frozen.dump(into: directory, in: run.context)
                    await frozen.release()
                    return summary
                }
                #expect(summary.moment.kind == .exact)
                #expect(summary.identity["server_version"] == "18.6")
                #expect(summary.identity["client_version"]?.hasPrefix("18") == true)
                let shop = try #require(summary.databases.first { $0.name == "shop" })
                #expect(shop.tables.map(\.rows) == [3, 20000])

                let moved = server.directory.appending("restored")
                let copied = try await runProgram("cp", ["-a", directory.string, moved.string])
                #expect(copied.succeeded, "\(copied.lastErrors)")
                _ = try await runProgram("chown", ["-R", PostgreSQLServer.user, moved.string])
                // What the test itself asks for may take its time, this too.
                try await eventually { (try? await server.psql("alter role postgres reset all")) != nil }
                try await server.psql("create database again")
                try await PostgreSQLServer.run(
                    "pg_restore",
                    ["--exit-on-error", "-d", "host=\(server.directory) dbname=again", "\(moved)/databases/shop"],
                    in: programs)
                let sum = "select md5(string_agg(o::text, '' order by id)) from orders o"
                #expect(try await server.psql(sum, in: "again") == server.psql(sum, in: "shop"))
            }
        }
    }

    @Test("PostgreSQL 18 is no server for the clients of 15, and its clients dump the server of 15")
    func clients() async throws {
        try await withScratch { scratch in
            try await PostgreSQLServer.with18(in: scratch) { server, programs in
                let cluster = ClusterFixture(scratch: scratch, server: server)
                let tooOld = cluster.provider { $0.binDirectory = PostgreSQLServer.binDirectory }
                try await TestRun().prepared(tooOld) { source in
                    #expect(source.findings.first?.code == "client_unsuitable")
                    #expect(source.findings.first?.severity == .failure)
                }
                let elsewhere = scratch.appending("15")
                try FileSystem.createDirectory(elsewhere, mode: 0o755)
                try await PostgreSQLServer.with(in: elsewhere) { older in
                    let cluster = ClusterFixture(scratch: elsewhere, server: older)
                    try await cluster.createShop()
                    let provider = cluster.provider { $0.binDirectory = programs }
                    let summary = try await TestRun().dump(provider, into: cluster.newDirectory())
                    #expect(summary.moment.kind == .exact)
                    #expect(summary.identity["client_version"]?.hasPrefix("18") == true)
                }
            }
        }
    }
}
