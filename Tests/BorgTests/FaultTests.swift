import DumpCore
import Glibc
import Linux
import Processes
import SystemPackage
import TestSupport
import Testing

@testable import Borg

@Suite("Borg's errors")
struct FaultTests {
    @Test("No id and no exit status stands in the table twice")
    func unambiguous() {
        let ids = BorgFault.table.flatMap(\.ids)
        let statuses = BorgFault.table.flatMap(\.statuses)
        #expect(ids.count == Set(ids).count)
        #expect(statuses.count == Set(statuses).count)
        // 0, 1, 2 and the warnings mean many things; signals are none of Borg's errors.
        #expect(statuses.allSatisfy { (3..<100).contains($0) })
    }

    @Test("A message id counts for more than an exit status, and a status that means many things for nothing")
    func precedence() {
        #expect(BorgFault.of(messageID: "LockTimeout", status: .exited(2))?.code == .locked)
        #expect(BorgFault.of(messageID: "LockTimeout", status: .exited(13))?.code == .locked)
        #expect(BorgFault.of(messageID: "SomethingNew", status: .exited(13))?.code == .repositoryMissing)
        #expect(BorgFault.of(messageID: "StorageQuotaExceeded", status: .exited(2))?.code == .noSpace)
        #expect(BorgFault.of(messageID: nil, status: .exited(2)) == nil)
        #expect(BorgFault.of(messageID: nil, status: .signaled(13)) == nil)
    }

    @Test("A wrong passphrase is said to be wrong and not shown", arguments: BorgUnderTest.allCases)
    func wrongPassphrase(version: BorgUnderTest) async throws {
        try await Host.withRepository(version) { host in
            let set = try host.seal()
            let error = try await borgError {
                _ = try await host.repository(passphrase: "hunter2").create(set, at: Host.time)
            }
            #expect(error?.code == .passphraseWrong)
            #expect(error?.message == "the passphrase of repository 'offsite' is wrong")
            #expect(error?.description.contains("hunter2") == false)
            #expect(try await host.archives() == ["foreign"])
        }
    }

    @Test(
        "An encrypted repository without a passphrase is an error at once, not a prompt",
        arguments: BorgUnderTest.allCases)
    func noPassphrase(version: BorgUnderTest) async throws {
        try await Host.withRepository(version) { host in
            let repository = BorgRepository(
                name: "offsite", settings: host.repository().settings, passphrase: nil,
                environment: host.borg.environment, runner: host.runner, log: Host.log)
            let error = try await borgError { _ = try await repository.prepare() }
            #expect(error?.code == .passphraseMissing)
        }
    }

    @Test("A repository that Borg is not sure of is left to a person to confirm", arguments: BorgUnderTest.allCases)
    func unconfirmed(version: BorgUnderTest) async throws {
        try await Host.withRepository(version) { host in
            _ = try await host.archives()
            let moved = host.borg.scratch.appending("moved")
            try FileSystem.rename(host.borg.repository, to: moved)
            let error = try await borgError {
                _ = try await host.repository { $0.location = moved.string }.prepare()
            }
            #expect(error?.code == .repositoryUnconfirmed)
            #expect(
                error?.message == "repository 'offsite' was at another location when this host used it last")
            #expect(
                error?.hint == "If it was moved, set BORG_RELOCATED_REPO_ACCESS_IS_OK=yes for one run.")
        }
    }

    @Test(
        "An unencrypted repository that this host never used is left to a person to confirm",
        arguments: BorgUnderTest.allCases)
    func unknown(version: BorgUnderTest) async throws {
        try await Host.with(version) { host in
            try await host.borg.borg(["init", "--encryption", "none"])
            try FileTree(host.borg.scratch.appending("borg-base")).remove()
            let error = try await borgError { _ = try await host.repository().prepare() }
            #expect(error?.code == .repositoryUnconfirmed)
            #expect(
                error?.message == "repository 'offsite' is not encrypted, and this host has not used it before")
        }
    }

    @Test(
        "A server that cannot be reached is told by what ssh says",
        arguments: BorgUnderTest.allCases)
    func unreachable(version: BorgUnderTest) async throws {
        try await Host.with(version) { host in
            let ssh = host.borg.scratch.appending("ssh")
            // Ends once Borg has read its words: Borg drops what comes together with the end.
            let text = """
                #!/usr/bin/python3
                import array, fcntl, os, termios
                os.write(2, b"no way\\n")
                unread = array.array("i", [1])
                while unread[0]: fcntl.ioctl(2, termios.FIONREAD, unread)
                os._exit(255)
                """
            try write(text, to: ssh, mode: [.ownerReadWriteExecute])
            var settings = host.repository().settings
            settings.location = "ssh://me@backup.example/./repository"
            let repository = BorgRepository(
                name: "offsite", settings: settings, passphrase: nil,
                environment: host.borg.environment.merging(["BORG_RSH": ssh.string]) { $1 }, runner: host.runner,
                log: Host.log)
            let error = try await borgError { _ = try await repository.prepare() }
            #expect(error?.code == .connectionLost)
            #expect(error?.context["location"] == "ssh://me@backup.example/./repository")
            #expect(error?.context["borg"]?.contains("Remote: no way") == true)
        }
    }

    @Test(
        "A full disk under the repository is said to be full, and no archive is left", arguments: BorgUnderTest.allCases
    )
    func fullDisk(version: BorgUnderTest) async throws {
        try await Host.withRepository(version) { host in
            let small = host.borg.scratch.appending("small")
            try FileSystem.createDirectory(small)
            #expect(mount("tmpfs", small.string, "tmpfs", 0, "size=3m") == 0)
            defer { #expect(umount2(small.string, Int32(MNT_DETACH)) == 0) }
            let repository = host.repository {
                $0.location = small.appending("repository").string
                $0.initialize = .repokeyBlake2
                $0.creation.compression = "none"
            }
            _ = try await repository.initializeIfMissing()
            let set = try host.seal(["app/big": Host.noise(bytes: 6 << 20)])
            let error = try await borgError { _ = try await repository.create(set, at: Host.time) }
            #expect(error?.code == .noSpace)
            #expect(error?.context["archive"] == "\(Host.archiveName) (not there)")
        }
    }
}

extension Host {
    /// Text that does not repeat itself.
    static func noise(bytes: Int) -> String {
        var noise = [UInt8](repeating: 0, count: bytes)
        arc4random_buf(&noise, bytes)
        return String(decoding: noise.map { 33 + $0 % 94 }, as: UTF8.self)
    }
}
