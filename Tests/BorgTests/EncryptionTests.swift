import DumpCore
import TestSupport
import Testing

@testable import Borg

@Suite("A repository without encryption")
struct EncryptionTests {
    @Test(
        "is refused where the job creates an encrypted one or has a passphrase, and used where the job says that it may be so",
        arguments: BorgUnderTest.allCases, ["none", "authenticated"])
    func refused(version: BorgUnderTest, mode: String) async throws {
        try await Host.with(version) { host in
            try await host.borg.borg(["init", "--encryption", mode])
            for wanted in [RepositorySettings.Encryption.repokeyBlake2, nil] {
                let repository = host.repository { $0.initialize = wanted }
                let error = try await borgError { _ = try await repository.initializeIfMissing() }
                #expect(
                    error?.description == """
                        repository 'offsite' is not encrypted (\(mode)): its host can read all archives
                          location: \(host.borg.repository)
                          hint: Name another location, where Muster creates an encrypted one. If you accept that, write encryption: none.
                        """)
                #expect(try await borgError { _ = try await repository.prepare() }?.code == .notEncrypted)
                let made = try await borgError { _ = try await repository.create(try host.seal()) }
                #expect(made?.code == .notEncrypted)
            }
            #expect(try await host.borg.archiveNames() == [])
            let told = host.repository {
                $0.initialize = .repokeyBlake2
                $0.encryption = RepositorySettings.AcceptedEncryption.none
            }
            #expect(try await !told.initializeIfMissing())
            _ = try await told.create(try host.seal(), at: Host.time)
        }
    }

    @Test("A repository tells its id and encryption", arguments: BorgUnderTest.allCases)
    func told(version: BorgUnderTest) async throws {
        try await Host.withRepository(version) { host in
            let found = try #require(try await host.repository().find())
            #expect(found.encryption == "repokey-blake2" && found.id.count == 64 && !found.isReadable)
            #expect(try await host.repository().create(try host.seal(), at: Host.time).repository == found)
        }
    }
}
