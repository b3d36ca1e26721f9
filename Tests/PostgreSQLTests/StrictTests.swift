import Conformance
import DumpCore
import PostgreSQL
import TestSupport
import Testing

@Suite("Strict jobs")
struct StrictTests {
    /// Of a cluster with nothing in it: its settings files, and statistics if the client is older than 18.
    private static let usual: [OmissionCode] = [.optimizerStatistics, .serverSettings]

    @Test("A strict job fails in prepare at an omission that is not allowed, and the error says how to allow it")
    func strict() async throws {
        try await ClusterFixture.withShop { cluster in
            let provider = cluster.provider {
                $0.isStrict = true
                $0.allowedOmissions = Self.usual
            }
            try await TestRun().prepared(provider) { source in
                #expect(source.omissions.map(\.severity).allSatisfy { $0 == .note })
            }
            try await cluster.server.psql("create sequence counter", in: "shop")
            let message =
                "1 sequence of database 'shop' dumped with later values than its tables: no snapshot holds them"
            let hint =
                "One that advanced skips numbers. The dump reports one that was set back. "
                + "Or accept it with 'allow_omissions: [sequences_outside_snapshot]', as the job is strict."
            let run = TestRun()
            try await run.prepared(provider) { source in
                #expect(
                    source.omissions.filter { $0.severity == .failure } == [
                        Finding(.failure, "sequences_outside_snapshot", object: "shop", message, hint: hint)
                    ])
                let error = try await dumpError { _ = try await run.dump(source, into: cluster.newDirectory()) }
                #expect(
                    error.description == """
                        \(message)
                          dump: app
                          code: sequences_outside_snapshot
                          object: shop
                          database: shop
                          hint: \(hint)
                        """)
            }
        }
    }

    @Test("What is allowed is no warning, and stays listed in the dump")
    func allowed() async throws {
        try await ClusterFixture.withShop { cluster in
            try await cluster.server.psql("create sequence counter; create schema s", in: "shop")
            try await cluster.server.psql("alter database app allow_connections false")
            let provider = cluster.provider {
                $0.isStrict = true
                $0.allowedOmissions = Self.usual + [.sequencesOutsideSnapshot, .databaseNotConnectable]
            }
            let summary = try await TestRun().dump(provider, into: cluster.newDirectory())
            let listed = summary.omissions.filter { !Self.usual.map(\.rawValue).contains($0.code) }
            #expect(listed.map(\.code) == ["database_not_connectable", "sequences_outside_snapshot"])
            #expect(listed.map(\.severity) == [.note, .note])
        }
    }

    @Test("What pg_dump would fail at cannot be allowed")
    func impossible() async throws {
        try await ClusterFixture.withShop { cluster in
            try await cluster.createBackupRole()
            try await cluster.server.psql("alter table orders enable row level security", in: "shop")
            let provider = cluster.backupProvider { $0.allowedOmissions = [.tableRowsHidden] }
            #expect(try await cluster.omissions(.tableRowsHidden, provider).map(\.severity) == [.failure])
        }
    }
}
