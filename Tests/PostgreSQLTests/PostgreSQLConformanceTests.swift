import Conformance
import DumpCore
import Linux
import Logging
import PostgreSQL
import SystemPackage
import TestSupport
import Testing

@Suite("PostgreSQL as a provider")
struct PostgreSQLConformanceTests {
    @Test("PostgreSQL keeps the contract of a provider", arguments: ProviderClaim.allCases)
    func databases(claim: ProviderClaim) async throws { try await check(claim, layout: .databases) }

    @Test("So it does with one script for the whole cluster", arguments: ProviderClaim.allCases)
    func cluster(claim: ProviderClaim) async throws {
        let oneUnit = "the source is one unit"
        try await check(
            claim, layout: .cluster,
            notApplicable: [
                .unitsAreDistinct: oneUnit, .unitsKeepToTheirSlots: oneUnit,
                .unchangedIsIdentical: "no file of this source is ever the same twice",
            ])
    }

    private func check(
        _ claim: ProviderClaim, layout: PostgreSQLSettings.Layout, notApplicable: [ProviderClaim: String] = [:]
    ) async throws {
        try await ClusterFixture.withShop { cluster in
            let subject = Subject(cluster: cluster, layout: layout)
            try await cluster.server.psql(
                "create role backup login password $$\(subject.password)$$ in role pg_read_all_data")
            let directory = cluster.scratch.appending("claim")
            try FileSystem.createDirectory(directory)
            await claim.check(subject, in: directory, notApplicable: notApplicable)
        }
    }

    /// A role that is not a superuser and comes with a password.
    private struct Subject: ConformanceSubject {
        let cluster: ClusterFixture
        let layout: PostgreSQLSettings.Layout
        let password = "Hunter2:\\'\(UInt32.random(in: 1_000_000 ... .max))"

        /// The time is in each table of contents, and a random word for psql's \restrict in each script.
        func isRestless(_ name: String) -> Bool { ["toc.dat", "globals.sql", "all.sql"].contains(name) }
        var secrets: [String] { [password] }
        var unreachable: (any Provider)? { provider(host: cluster.scratch, log: .silent) }
        func provider(log: Logger) -> any Provider { provider(host: cluster.server.directory, log: log) }

        private func provider(host: FilePath, log: Logger) -> any Provider {
            cluster.provider(password: Secret(password), log: log) {
                $0.connection = "host=\(host) user=backup"
                $0.runAs = nil
                $0.layout = layout
                // One that is named must be there. Without that, one that was dropped is left out with a warning.
                $0.include = ["app", "shop"]
            }
        }

        /// The next transaction id is the same as long as no one has written anything, anywhere in the cluster.
        func fingerprint() async throws -> String? {
            try await cluster.server.psql("select pg_snapshot_xmax(pg_current_snapshot())")
        }

        func leftovers() async throws -> [String] { try await cluster.leftovers() }

        func whileHeldUp(_ body: () async throws -> Void) async throws {
            try await cluster.whileLocked("orders", in: "shop", body)
        }

        func withSmallDisk(bytes: Int, at directory: FilePath, _ body: () async throws -> Void) async throws {
            try await withMemoryFileSystem(kibibytes: bytes >> 10, at: directory, body)
        }

        func damage() async throws { try await cluster.server.psql("drop database shop with (force)") }
    }
}
