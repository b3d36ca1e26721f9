import Conformance
import Directories
import DumpCore
import Linux
import Logging
import Processes
import Snapshots
import SystemPackage
import TestSupport
import Testing

@Suite("A directory as a provider")
struct DirectoryConformanceTests {
    @Test("A directory keeps the contract of a provider", arguments: ProviderClaim.allCases)
    func contract(claim: ProviderClaim) async throws {
        try await withScratch { scratch in
            let directory = scratch.appending("claim")
            try FileSystem.createDirectory(directory)
            let subject = Subject(tree: try await TreeFixture(at: scratch.appending("source")))
            await claim.check(
                subject, in: directory,
                notApplicable: [.secretsStaySecret: "this source has no secrets"])
        }
    }

    private struct Subject: ConformanceSubject {
        let tree: TreeFixture

        var unreachable: (any Provider)? {
            DirectoryProvider(settings: DirectorySettings(path: tree.root.appending("no")), round: round(.silent))
        }

        func provider(log: Logger) -> any Provider {
            DirectoryProvider(settings: settings, round: round(log))
        }

        private func round(_ log: Logger) -> SnapshotRound {
            SnapshotRound(job: "nightly", runner: ProgramRunner(keeper: keeperExecutable, log: log))
        }

        private var settings: DirectorySettings {
            var settings = DirectorySettings(path: tree.root)
            settings.selection.exclude = ["nothing"]
            return settings
        }

        /// Every entry, with the time of its last change of anything.
        func fingerprint() async throws -> String? {
            try FileTree(tree.root).entries().map { "\($0.path) \($0.status)" }.joined(separator: "\n")
        }

        /// Nobody comes to the end of a tebibyte of zeros meanwhile. A file of more is refused.
        func whileHeldUp(_ body: () async throws -> Void) async throws {
            try await tree.shell("truncate -s 1T endless")
            try await body()
        }

        func withSmallDisk(bytes: Int, at directory: FilePath, _ body: () async throws -> Void) async throws {
            try await withMemoryFileSystem(kibibytes: bytes >> 10, at: directory, body)
        }

        func damage() async throws { try await tree.shell("rm -rf plain empty") }
    }
}
