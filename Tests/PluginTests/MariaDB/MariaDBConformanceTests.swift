import Conformance
import DumpCore
import Linux
import Logging
import Settings
import SystemPackage
import TestSupport
import Testing

@Suite("MariaDB as a provider")
struct MariaDBConformanceTests {
    @Test("The MariaDB plugin keeps the contract of a provider", arguments: ProviderClaim.allCases)
    func contract(claim: ProviderClaim) async throws {
        try await MariaDBFixture.withBanks { host in
            try await host.server.sql(
                """
                CREATE USER backup@localhost IDENTIFIED BY '\(Subject.password)';
                GRANT SELECT, SHOW VIEW, TRIGGER, EVENT, SHOW DATABASES, RELOAD, BINLOG MONITOR ON *.* TO backup@localhost
                """)
            let directory = host.scratch.appending("claim")
            try FileSystem.createDirectory(directory)
            let subject = Subject(plugin: try host.plugin(as: "backup", password: Subject.password), host: host)
            await claim.check(subject, in: directory, notApplicable: [.digestsAreTrue: "the dump reports no digest"])
        }
    }

    private struct Subject: ConformanceSubject {
        static let password = "Hunter2-hunter2"
        let plugin: PluginHost
        let host: MariaDBFixture

        var secrets: [String] { [Self.password] }
        var unreachable: (any Provider)? {
            provider("socket", .text(host.scratch.appending("nothing").string), .silent)
        }

        /// The banks alone would be dumped by several programs, whose lock waits for a locked table.
        func provider(log: Logger) -> any Provider { provider("databases", .list([.text("east")]), log) }

        private func provider(_ key: String, _ value: PlainValue, _ log: Logger) -> any Provider {
            var plugin = plugin
            plugin.values[key] = value
            return plugin.provider(log: log)
        }

        /// Moves with everything that is written.
        func fingerprint() async throws -> String? { try await host.server.sql("SHOW MASTER STATUS") }

        func leftovers() async throws -> [String] {
            try await host.server.sql("SELECT id FROM information_schema.processlist WHERE user = 'backup'").split(
                separator: "\n"
            )
            .map(String.init)
        }

        func whileHeldUp(_ body: () async throws -> Void) async throws {
            try await host.server.whileRunning("LOCK TABLES east.accounts WRITE; SELECT sleep(1000)", body)
        }

        func damage() async throws { try await host.server.sql("DROP DATABASE east") }

        func withSmallDisk(bytes: Int, at directory: FilePath, _ body: () async throws -> Void) async throws {
            try await withMemoryFileSystem(kibibytes: bytes >> 10, at: directory, body)
        }
    }
}
