import Conformance
import DumpCore
import Linux
import Logging
import Settings
import SystemPackage
import TestSupport
import Testing

@Suite("etcd as a provider")
struct EtcdTests {
    @Test("The etcd plugin keeps the contract of a provider", arguments: ProviderClaim.allCases)
    func contract(claim: ProviderClaim) async throws {
        try await EtcdHost.with { host in
            for number in 1...4 { try await host.ask("put", "k\(number)", String(repeating: "v", count: 100_000)) }
            let directory = host.scratch.appending("claim")
            try FileSystem.createDirectory(directory)
            let (oneUnit, heldUp) = ("the source is one unit", "nothing holds up a dump of this source")
            await claim.check(
                Subject(host: host), in: directory,
                notApplicable: [
                    .unitsAreDistinct: oneUnit, .unitsKeepToTheirSlots: oneUnit,
                    .digestsAreTrue: "the dump reports no digest",
                    .cancelledWhile: heldUp, .deadline: heldUp, .damagedSource: "nothing damages this source",
                    .secretsStaySecret: "this source has no secrets",
                ])
        }
    }

    @Test("A snapshot has the keys of one instant, and is restored to a directory and in a drill")
    func roundTrip() async throws {
        try await EtcdHost.with { host in
            let writing = Task {
                for number in 1... where !Task.isCancelled { try await host.ask("put", "k\(number)", "v\(number)") }
            }
            try await eventually { try await host.ask("get", "k3").hasPrefix("k3") }
            let dump = try await host.plugin().taken(in: host.scratch)
            writing.cancel()
            _ = await writing.result
            #expect(dump.summary.moment.kind == .exact)
            let revision = try #require(dump.fact("revision").flatMap { Int64($0) })
            #expect(revision > 3)
            let target = host.scratch.appending("restored")
            let outcome = try await host.plugin().restored(dump) { $0.target = target.string }
            #expect(outcome.items.map(\.comparison.compared) == [["revision": revision]])
            #expect(try FileSystem.status(of: target.appending("member/snap/db")).kind == .file)
            let taken = await #expect(throws: DumpError.self) {
                try await host.plugin().restored(dump) { $0.target = target.string }
            }
            #expect(taken?.message == "\(target) exists")
            #expect(try await host.plugin().drill(dump, in: host.scratch.appending("room")).isProven)
        }
    }

    @Test("One wrong byte in a snapshot is found before it is restored")
    func damagedSnapshot() async throws {
        try await EtcdHost.with { host in
            try await host.ask("put", "key", "value")
            let dump = try await host.plugin().taken(in: host.scratch)
            try await output(
                "dd", "if=/dev/urandom", "of=\(dump.directory)/snapshot.db", "bs=1", "seek=9000", "count=40",
                "conv=notrunc")
            let error = await #expect(throws: DumpError.self) {
                try await host.plugin().drill(dump, in: host.scratch.appending("room"))
            }
            #expect(error?.code == .incompleteDump)
        }
    }

    private struct Subject: ConformanceSubject {
        let host: EtcdHost

        var unreachable: (any Provider)? { provider(["endpoint": .text("http://127.0.0.1:9")], .silent) }
        func provider(log: Logger) -> any Provider { provider([:], log) }

        private func provider(_ values: [String: PlainValue], _ log: Logger) -> any Provider {
            guard let plugin = try? host.plugin(values) else { fatalError("the plugin cannot be read") }
            return plugin.provider(log: log)
        }

        func fingerprint() async throws -> String? { try await host.ask("get", "", "--prefix") }

        func withSmallDisk(bytes: Int, at directory: FilePath, _ body: () async throws -> Void) async throws {
            try await withMemoryFileSystem(kibibytes: bytes >> 10, at: directory, body)
        }
    }
}
