import DumpCore
import Linux
import Staging
import SystemPackage
import TestSupport
import Testing

@testable import Borg

@Suite("Borg's files cache")
struct FilesCacheTests {
    /// An archive at home; then other bytes behind the same inode, size and time.
    private func withKnownFiles(
        _ version: BorgUnderTest, _ body: (Host, ConfirmedArchive) async throws -> Void
    ) async throws {
        try await Host.withRepository(version) { host in
            let first = try await host.repository().create(
                try host.seal(["app/orders": "first", "app/users": "users"]), at: Host.time)
            try host.overwriteUnnoticed(host.current.pushing("app/orders"), with: "other")
            try await body(host, first)
        }
    }

    private func time(_ seconds: Int64) -> Timestamp {
        Timestamp(milliseconds: Host.time.milliseconds + seconds * 1000)
    }

    private func orders(_ host: Host, _ made: ConfirmedArchive) async throws -> String {
        try await host.borg.borg(["extract", "--stdout", "::" + made.archive.name, "app/orders"])
    }

    @Test(
        "of another home directory is never believed, nor the one at home after that", arguments: BorgUnderTest.allCases
    )
    func otherHome(version: BorgUnderTest) async throws {
        try await withKnownFiles(version) { host, first in
            let cache = try #require(first.filesCache)
            let away = host.repository(home: host.borg.scratch.appending("other-home"))
            let second = try await away.create(try host.seal([:]), at: time(1), knowing: cache)
            #expect(try await orders(host, second) == "other")
            #expect(second.filesCache == nil, "two caches have its name now")
            let third = try await host.repository().create(try host.seal([:]), at: time(2), knowing: second.filesCache)
            #expect(try await orders(host, third) == "other")
            #expect(third.filesCache != nil)
        }
    }

    @Test("that is not as the last archive left it is not believed", arguments: BorgUnderTest.allCases)
    func otherAge(version: BorgUnderTest) async throws {
        try await withKnownFiles(version) { host, first in
            let cache = try #require(first.filesCache)
            // As after a restore of the home directory: the same contents, another file.
            let path = FilePath(cache.path)
            let copy = FilePath(cache.path + ".copy")
            _ = try await output("cp", path.string, copy.string)
            try FileSystem.rename(copy, to: path)
            #expect(!cache.isThere)
            let second = try await host.repository().create(try host.seal([:]), at: time(1), knowing: cache)
            #expect(try await orders(host, second) == "other")
        }
    }

    @Test("is one file for each repository, and the next archive goes on with it", arguments: BorgUnderTest.allCases)
    func kept(version: BorgUnderTest) async throws {
        try await withKnownFiles(version) { host, first in
            let second = try await host.repository().create(
                try host.seal([:]), at: time(1), knowing: first.filesCache)
            #expect(try await orders(host, second) == "first", "it was not read")
            #expect(second.filesCache?.path == first.filesCache?.path)
            #expect(second.filesCache != first.filesCache)
        }
    }
}
