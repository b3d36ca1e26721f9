import DumpCore
import Glibc
import Linux
import Staging
import SystemPackage
import TestSupport
import Testing

@testable import Borg

@Suite("A repository on a server")
struct RemoteTests {
    @Test(
        "is created, receives a set, lists it and gives its manifest back, with the Borg that remote_path names",
        arguments: BorgUnderTest.allCases)
    func everyVerb(version: BorgUnderTest) async throws {
        try await RemoteHost.with(version) { remote in
            let repository = remote.repository { $0.initialize = .repokeyBlake2 }
            #expect(try await repository.prepare().findings.map(\.code) == ["repository_missing"])
            #expect(try await repository.initializeIfMissing())
            let set = try remote.host.seal()
            let confirmed = try await repository.create(set, at: Host.time)
            #expect(confirmed.files == 3)
            let archives = try await repository.archives(of: Host.owner)
            #expect(archives.map(\.name) == [Host.archiveName])
            #expect(try await repository.manifest(of: confirmed.archive).runID == set.manifest.runID)
            #expect(try await remote.isSound(archives: [Host.archiveName]))

            try await repository.check(.data)
            try await repository.delete(try await repository.holdings(of: Host.owner).archives)
            let bytes = remote.bytesOnServer()
            // The number comes beside the server's answer: Borg may have ended before it has read that.
            #expect(try await repository.compact() ?? 1 > 0)
            #expect(remote.bytesOnServer() < bytes)
            #expect(try await remote.isSound(archives: []))
        }
    }

    @Test("may be append-only: an archive is made and confirmed", arguments: BorgUnderTest.allCases)
    func appendOnly(version: BorgUnderTest) async throws {
        try await RemoteHost.withRepository(version, options: "--append-only") { remote in
            _ = try await remote.repository().create(try remote.host.seal(), at: Host.time)
            #expect(try await remote.isSound(archives: ["foreign", Host.archiveName]))

            // Gone from the list, while the server keeps every byte.
            let repository = remote.repository()
            let bytes = remote.bytesOnServer()
            try await repository.delete(try await repository.holdings(of: Host.owner).archives)
            #expect(try await repository.compact() == nil)
            #expect(try await remote.isSound(archives: ["foreign"]))
            #expect(remote.bytesOnServer() >= bytes)
        }
    }

    @Test("is not looked for outside what the server lends", arguments: BorgUnderTest.allCases)
    func outside(version: BorgUnderTest) async throws {
        try await RemoteHost.with(version) { remote in
            let repository = remote.repository {
                $0.location = remote.server.location(of: "/elsewhere")
                $0.initialize = .repokeyBlake2
            }
            let error = try await borgError { _ = try await repository.initializeIfMissing() }
            #expect(error?.code == .accessDenied)
            #expect(error?.isTransient == false)
        }
    }

    @Test("receives a set over a slow link, for as long as something moves", arguments: BorgUnderTest.allCases)
    func slow(version: BorgUnderTest) async throws {
        try await RemoteHost.withRepository(version) { remote in
            let link = try remote.server.slowLink(bytesPerSecond: 4 << 20)
            let repository = remote.repository([link]) { $0.stallTimeout = .seconds(60) }
            let set = try await remote.sealLarge()
            let confirmed = try await repository.create(set, at: Host.time)
            #expect(confirmed.bytes > 12 << 20)
        }
    }
}
