import DumpCore
import Glibc
import Linux
import Processes
import Settings
import SystemPackage
import TestSupport
import Testing

/// An etcd of a test's own, on ports of the loopback address that were free.
struct EtcdHost: Sendable {
    let scratch: FilePath
    let port: Int
    var endpoint: String { "http://127.0.0.1:\(port)" }

    static func with(_ body: (EtcdHost) async throws -> Void) async throws {
        try await withScratch { scratch in
            try await Turn.take {
                let host = EtcdHost(scratch: scratch, port: Int.random(in: 20_000..<32_000) & ~1)
                try await host.whileServing { try await body(host) }
            }
        }
    }

    func plugin(_ settings: [String: PlainValue] = [:]) throws -> PluginHost {
        try PluginHost.standard("etcd", ["endpoint": .text(endpoint)].merging(settings) { $1 })
    }

    private func whileServing(_ body: () async throws -> Void) async throws {
        let runner = ProgramRunner(keeper: keeperExecutable, log: .silent)
        let peer = "http://127.0.0.1:\(port + 1)"
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

    /// What etcdctl prints.
    @discardableResult
    func ask(_ words: String...) async throws -> String {
        var program = Program(try Executables.find("etcdctl"), ["--endpoints=\(endpoint)"] + words)
        program.environment["ETCDCTL_API"] = "3"
        let outcome = try await ProgramRunner(keeper: keeperExecutable, log: .silent).run(
            program, output: .collect(limit: 1 << 20))
        guard outcome.succeeded else { throw HostError(description: outcome.lastErrors) }
        return String(decoding: outcome.output, as: UTF8.self)
    }
}
