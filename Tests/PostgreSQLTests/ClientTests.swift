import Conformance
import DumpCore
import Linux
import SystemPackage
import TestSupport
import Testing

@testable import PostgreSQL

@Suite("Client programs")
struct ClientTests {
    @Test("A client older than the server is found in prepare, with both versions and what to install")
    func tooOld() async throws {
        try await ClusterFixture.with { cluster in
            let directory = cluster.scratch.appending("old")
            try FileSystem.createDirectory(directory, mode: 0o755)
            for name in ["pg_dump", "pg_dumpall", "pg_restore"] {
                try write(
                    "#!/bin/sh\necho '\(name) (PostgreSQL) 9.6.24'\n", to: directory.appending(name),
                    mode: FilePermissions(rawValue: 0o755))
            }
            let run = TestRun()
            try await run.prepared(cluster.provider { $0.binDirectory = directory }) { source in
                let server = try await cluster.server.psql("show server_version").split(separator: " ")[0]
                let major = server.split(separator: ".")[0]
                #expect(
                    source.findings == [
                        Finding(
                            .failure, "client_unsuitable", object: "pg_dump",
                            "\(directory)/pg_dump is version 9.6.24, too old for the server's \(server)",
                            hint: "Install the client programs of PostgreSQL \(major) or newer (Debian: "
                                + "postgresql-client-\(major)). Or remove bin_directory.")
                    ])
                let error = try await dumpError { _ = try await source.freeze(in: run.context) }
                #expect(error.code == .programUnsuitable)
                #expect(error.message == source.findings[0].message)
            }
        }
    }

    @Test("A bin_directory without all three programs is a failure")
    func missing() async throws {
        try await ClusterFixture.with { cluster in
            try await TestRun().prepared(cluster.provider { $0.binDirectory = cluster.scratch }) { source in
                #expect(source.findings.map(\.severity) == [.failure])
                #expect(
                    source.findings.map(\.message)
                        == ["no pg_dump, pg_dumpall and pg_restore together in \(cluster.scratch)"])
            }
        }
    }

    static let server = ServerFacts(
        version: "15.20", major: 15, systemIdentifier: "1", inRecovery: false,
        role: .init(name: "r", isSuperuser: true, readsAllData: true, readsPasswords: true),
        bootstrapRole: BootstrapRole(identifier: "r", literal: "'r'", creation: "", spelled: []), databases: [])

    private func clients(_ versions: [(String, String)]) throws -> [Client] {
        try versions.map {
            let line = "pg_dump (PostgreSQL) \($0.1)"
            return Client(directory: FilePath($0.0), version: try #require(Client.Version(versionLine: line)))
        }
    }

    @Test("The server's own major version is chosen first, its newest minor, the first of several alike")
    func ownMajor() throws {
        let clients = try clients([
            ("/a", "14.24"), ("/b", "17.1"), ("/c", "15.9"), ("/d", "15.20"), ("/e", "15.20"), ("/f", "18.6"),
        ])
        let chosen = try Client.chosen(from: clients, for: Self.server, binDirectory: nil)
        #expect(chosen.directory == "/d")
        #expect(chosen.findings(for: Self.server, binDirectory: nil) == [])
    }

    @Test("Without one, the next newer major version is chosen, and told")
    func newerMajor() throws {
        let clients = try clients([("/a", "18.6"), ("/b", "16.3"), ("/c", "16.14"), ("/d", "14.24")])
        let chosen = try Client.chosen(from: clients, for: Self.server, binDirectory: nil)
        #expect(chosen.directory == "/c")
        #expect(
            chosen.findings(for: Self.server, binDirectory: nil) == [
                Finding(
                    .warning, "client_newer_than_server", object: "/c/pg_dump",
                    "pg_dump 16.14 is newer than the server's 15.20: PostgreSQL 15 may not restore what it writes",
                    hint: "Install the client programs of PostgreSQL 15 (Debian: postgresql-client-15).")
            ])
        let future = try #require(try self.clients([("/f", "20.1")]).first)
        #expect(
            future.findings(for: Self.server, binDirectory: "/f").map(\.code) == [
                "client_newer_than_known", "client_newer_than_server",
            ])
    }
}
