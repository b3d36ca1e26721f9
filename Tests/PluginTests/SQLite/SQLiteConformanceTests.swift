import Conformance
import DumpCore
import Linux
import Logging
import Settings
import SystemPackage
import TestSupport
import Testing

@Suite("SQLite as a provider")
struct SQLiteConformanceTests {
    @Test("The SQLite plugin keeps the contract of a provider", arguments: ProviderClaim.allCases)
    func contract(claim: ProviderClaim) async throws {
        try await SQLiteHost.with { host in
            let directory = host.scratch.appending("claim")
            try FileSystem.createDirectory(directory)
            let heldUp = "nothing holds up a dump of this source"
            await claim.check(
                Subject(host: host), in: directory,
                notApplicable: [
                    .digestsAreTrue: "the dump reports no digest", .cancelledWhile: heldUp, .deadline: heldUp,
                    .secretsStaySecret: "this source has no secrets",
                ])
        }
    }

    private struct Subject: ConformanceSubject {
        let host: SQLiteHost

        func provider(log: Logger) -> any Provider { provider([host.withLog, host.withJournal], log) }
        var unreachable: (any Provider)? { provider([host.scratch.appending("nothing.db")], .silent) }

        private func provider(_ paths: [FilePath], _ log: Logger) -> any Provider {
            guard let plugin = try? PluginHost("sqlite", ["paths": .list(paths.map { .text($0.string) })]) else {
                fatalError("the plugin cannot be read")
            }
            return plugin.provider(log: log)
        }

        func fingerprint() async throws -> String? {
            try await output("sha256sum", host.withLog.string, host.withJournal.string) + "\(try host.listing())"
        }

        func damage() async throws {
            let file = try FileDescriptor.open(host.withJournal, .writeOnly, options: .closeOnExec)
            try file.closeAfter {
                _ = try file.writeAll(toAbsoluteOffset: 8192 * 3, [UInt8](repeating: 0xff, count: 8192 * 4))
            }
        }

        func withSmallDisk(bytes: Int, at directory: FilePath, _ body: () async throws -> Void) async throws {
            try await withMemoryFileSystem(kibibytes: bytes >> 10, at: directory, body)
        }
    }
}
