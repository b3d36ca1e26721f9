import DumpCore
import Linux
import Staging
import TestSupport
import Testing

@testable import Borg

@Suite("Borg 2, a beta")
struct BetaTests {
    @Test(
        "A repository is created, with an encryption that Borg 2 has",
        arguments: [RepositorySettings.Encryption.repokeyAES, .repokeyChaCha, .keyfileAES, .authenticated])
    func initialized(mode: RepositorySettings.Encryption) async throws {
        try await Host.with(.beta) { host in
            let repository = host.repository { $0.initialize = mode }
            let findings = try await repository.prepare().findings
            #expect(findings.map(\.code) == ["borg_beta", "repository_missing"])
            #expect(try await repository.initializeIfMissing())
            #expect(try await !repository.initializeIfMissing())
            #expect(try await repository.prepare().findings.map(\.code) == ["borg_beta"])
        }
    }

    @Test("An encryption of Borg 1 is refused before anything is created")
    func wrongEncryption() async throws {
        try await Host.with(.beta) { host in
            let repository = host.repository { $0.initialize = .repokeyBlake2 }
            let error = try await borgError { _ = try await repository.prepare() }
            #expect(error?.code == .settings)
            #expect(error?.message == "Borg 2.0.0 has no encryption repokey-blake2")
            #expect(error?.hint?.contains("repokey-aes256-ocb") == true)
        }
    }

    @Test("Archives are created, confirmed, listed, read and removed; several of one name are told apart")
    func archives() async throws {
        try await Host.with(.beta) { host in
            let repository = host.repository { $0.initialize = .repokeyAES }
            _ = try await repository.initializeIfMissing()
            let set = try host.seal()
            let confirmed = try await repository.create(set, at: Host.time)
            #expect(confirmed.storedBytes > 0)
            #expect(try await repository.archives(of: Host.owner) == [confirmed.archive])
            #expect(try await repository.manifest(of: confirmed.archive) == set.manifest)
            #expect(try await repository.archives(beginningWith: "web1") == [confirmed.archive])
            #expect(try await repository.info(of: confirmed.archive).files == 3)
            var gone = confirmed.archive
            gone.id = "0000"
            let missing = try await borgError { _ = try await repository.manifest(of: gone) }
            #expect(missing != nil)

            // Borg 2 gives a name twice. The other one, with another comment, stays.
            try await host.borg.borg(["create", "--comment", "by hand", Host.archiveName, "/etc/hostname"])
            #expect(try await repository.remove(BegunArchive(of: set, at: Host.time)))
            #expect(try await repository.archives().map(\.provenance) == [nil])
        }
    }

    @Test("A file that vanished in time is noticed, and the archive deleted")
    func unfaithful() async throws {
        try await Host.with(.beta) { host in
            let settings = { (settings: inout RepositorySettings) in settings.initialize = .repokeyAES }
            _ = try await host.repository(settings).initializeIfMissing()
            let set = try host.seal()
            let file = host.current.appending("app/globals.sql")
            let fake = try host.borg.fakeBorg("[ $VERB = create ] && rm \(file)")
            let error = try await borgError { _ = try await host.repository(program: fake, settings).create(set) }
            #expect(error?.code == .notFaithful)
            #expect(try await host.repository().archives().isEmpty)
        }
    }

    @Test("An unchanged file is not read again although the archive has another name")
    func filesCache() async throws {
        try await Host.with(.beta) { host in
            let repository = host.repository { $0.initialize = .repokeyAES }
            _ = try await repository.initializeIfMissing()
            _ = try host.seal(["app/orders": "first"])
            // The manifest must be newer by the file system's clock, which ticks every few milliseconds.
            try await Task.sleep(for: .milliseconds(50))
            let first = try await repository.create(try host.seal([:]), at: Host.time)
            try host.overwriteUnnoticed(host.current.pushing("app/orders"), with: "other")
            let second = try await repository.create(try host.seal([:]), knowing: first.filesCache)
            let orders = try await host.borg.borg(["extract", "--stdout", second.archive.name, "app/orders"])
            #expect(orders == "first")
            let third = try await repository.create(
                try host.seal([:]), at: Timestamp(milliseconds: Host.time.milliseconds + 1000))
            #expect(
                try await host.borg.borg(["extract", "--stdout", third.archive.name, "app/orders"]) == "other",
                "it must not know it")
        }
    }
}
