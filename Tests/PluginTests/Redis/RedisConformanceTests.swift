import Conformance
import DumpCore
import Linux
import Logging
import Settings
import SystemPackage
import TestSupport
import Testing

@Suite("Redis as a provider")
struct RedisConformanceTests {
    @Test("The Redis plugin keeps the contract of a provider", arguments: ProviderClaim.allCases)
    func contract(claim: ProviderClaim) async throws {
        try await RedisHost.with { host in
            let directory = host.scratch.appending("claim")
            try FileSystem.createDirectory(directory)
            await claim.check(
                Subject(host: host), in: directory, notApplicable: [.digestsAreTrue: "the dump reports no digest"])
        }
    }

    private struct Subject: ConformanceSubject {
        let host: RedisHost

        func isRestless(_ name: String) -> Bool { name == "dump.rdb" }
        var secrets: [String] { [host.password] }
        var unreachable: (any Provider)? {
            provider(["socket": .text(host.scratch.appending("nothing").string)], .silent)
        }
        func provider(log: Logger) -> any Provider { provider([:], log) }

        private func provider(_ values: [String: PlainValue], _ log: Logger) -> any Provider {
            guard let plugin = try? host.plugin(values) else { fatalError("the plugin cannot be read") }
            return plugin.provider(log: log)
        }

        func fingerprint() async throws -> String? {
            try await host.ask("DEBUG", "DIGEST") + host.ask("ACL", "LIST") + host.ask("CONFIG", "GET", "*")
        }

        /// Connections other than the one that asks.
        func leftovers() async throws -> [String] {
            try await host.ask("CLIENT", "LIST").split(separator: "\n").filter { !$0.contains("cmd=client|list") }
                .map(String.init)
        }

        /// A server waits for more replicas before it begins.
        func whileHeldUp(_ body: () async throws -> Void) async throws {
            try await host.ask("CONFIG", "SET", "repl-diskless-sync-delay", "3600")
            try await body()
            try await host.ask("CONFIG", "SET", "repl-diskless-sync-delay", "0")
        }

        func damage() async throws { try await host.ask("ACL", "SETUSER", "default", "-sync", "-psync") }

        func withSmallDisk(bytes: Int, at directory: FilePath, _ body: () async throws -> Void) async throws {
            try await withMemoryFileSystem(kibibytes: bytes >> 10, at: directory, body)
        }
    }
}
