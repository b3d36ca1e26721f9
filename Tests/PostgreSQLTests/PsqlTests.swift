import Conformance
import DumpCore
import Linux
import SystemPackage
import TestSupport
import Testing

@testable import PostgreSQL

@Suite("psql beside the client programs")
struct PsqlTests {
    @Test(
        "is safe for scripts from the release of its major version that closes CVE-2026-18408 on",
        arguments: [
            ("14.23", false), ("14.24", true), ("15.18", false), ("15.19", true), ("15.20", true), ("16.14", false),
            ("16.15", true), ("17.10", false), ("17.11", true), ("18.5", false), ("18.6", true), ("18.10", true),
            // Never mended, and never in need of it.
            ("13.23", false), ("9.6.24", false), ("10.99", false), ("19.0", true), ("19beta1", true), ("20.1", true),
            // Before the first release there is no minor number that could be compared.
            ("18beta7", false), ("18rc9", false), ("18devel", false), ("17", false),
        ])
    func releases(version: String, isSafe: Bool) throws {
        let line = "psql (PostgreSQL) \(version) (Debian \(version)-1.pgdg120+1)"
        #expect(try #require(Client.Version(versionLine: line)).restoresScriptsSafely == isSafe)
    }

    @Test("An unsafe psql is warned of with the releases to update to, a safe or missing one is not")
    func found() async throws {
        try await ClusterFixture.with { cluster in
            let directory = try cluster.clientPrograms(pgDump: "exec $REAL/pg_dump \"$@\"")
            func prepared() async throws -> (findings: [Finding], version: String?) {
                try await TestRun().prepared(cluster.provider { $0.binDirectory = directory }) {
                    ($0.findings, $0.facts["psql_version"])
                }
            }
            #expect(try await prepared() == ([], nil))
            try psql("16.15", in: directory)
            #expect(try await prepared() == ([], "16.15"))
            try psql("16.14", in: directory)
            let (findings, version) = try await prepared()
            #expect(version == "16.14")
            #expect(
                findings == [
                    Finding(
                        .warning, "psql_unsafe", object: "\(directory)/psql",
                        "psql 16.14 may run commands that a hostile server hid in its dump (CVE-2026-18408)",
                        hint: "Before a script is restored with psql, on this host or another, update it to one of "
                            + "14.24, 15.19, 16.15, 17.11, 18.6 or newer.")
                ])
        }
    }

    private func psql(_ version: String, in directory: FilePath) throws {
        try write(
            "#!/bin/sh\necho 'psql (PostgreSQL) \(version)'\n", to: directory.appending("psql"),
            mode: FilePermissions(rawValue: 0o755))
    }
}
