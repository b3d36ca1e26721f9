import DumpCore
import Glibc
import Linux
import Processes
import Settings
import SystemPackage
import TestSupport
import Testing

/// An etcd of a test's own, on a loopback address of its own. All of 127/8 is this machine's, so that no two are in each other's way.
struct EtcdHost: Sendable {
    let scratch: FilePath
    let address: String
    var endpoint: String { "http://\(address):2379" }

    static func with(_ body: (EtcdHost) async throws -> Void) async throws {
        try await withScratch { scratch in
            try await Turn.take {
                let numbers = (0..<3).map { _ in String(Int.random(in: 2...250)) }
                let host = EtcdHost(scratch: scratch, address: "127." + numbers.joined(separator: "."))
                try await host.whileServing { try await body(host) }
            }
        }
    }

    func plugin(_ settings: [String: PlainValue] = [:]) throws -> PluginHost {
        try PluginHost.standard("etcd", ["endpoint": .text(endpoint)].merging(settings) { $1 })
    }

    private func whileServing(_ body: () async throws -> Void) async throws {
        let runner = ProgramRunner(keeper: keeperExecutable, log: .silent)
        let peer = "http://\(address):2380"
        let program = Program(
            try Executables.find("etcd"),
            [
                "--data-dir", "\(scratch)/etcd", "--listen-client-urls", endpoint, "--advertise-client-urls", endpoint,
                "--listen-peer-urls", peer, "--initial-advertise-peer-urls", peer, "--initial-cluster",
                "default=\(peer)",
                "--logger", "zap", "--unsafe-no-fsync",
            ], workingDirectory: scratch, grace: .zero)
        let server = Task { _ = try await runner.run(program) }
        try await withCleanup { cleanup in
            cleanup.append {
                server.cancel()
                _ = await server.result
            }
            try await eventually { (try? await ask("endpoint", "health")) != nil }
            try await body()
        }
    }

    /// What etcdctl prints. Left to itself it gives a server two seconds to accept, and five to answer.
    @discardableResult
    func ask(_ words: String...) async throws -> String {
        let options = ["--endpoints=\(endpoint)", "--dial-timeout=60s", "--command-timeout=60s"]
        var program = Program(try Executables.find("etcdctl"), options + words)
        program.environment["ETCDCTL_API"] = "3"
        let outcome = try await ProgramRunner(keeper: keeperExecutable, log: .silent).run(
            program, output: .collect(limit: 1 << 20))
        guard outcome.succeeded else { throw HostError(description: outcome.lastErrors) }
        return String(decoding: outcome.output, as: UTF8.self)
    }
}
