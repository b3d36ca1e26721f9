import DumpCore
import Glibc
import Linux
import Staging
import SystemPackage
import TestSupport
import Testing

@testable import Borg

/// Why a server is not reached, or lends nothing.
enum ServerFault: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case hostKeyChanged, hostKeyUnknown, loginRefused, keyWithPassphrase, keyMissing, keyReadableByAll
    case borgMissing, nameUnknown, portClosed

    var testDescription: String { rawValue }

    var expected: (code: BorgError.Code, message: String) {
        switch self {
        case .hostKeyChanged:
            (.hostKeyRefused, "the server of repository 'offsite' shows another host key than the one that is known")
        case .hostKeyUnknown: (.hostKeyRefused, "the host key of the server of repository 'offsite' is not known")
        case .loginRefused, .keyWithPassphrase:
            (.loginRefused, "the server of repository 'offsite' does not let this user in with a key")
        case .keyMissing, .keyReadableByAll:
            (.loginRefused, "the key to log in with at the server of repository 'offsite' cannot be read")
        case .borgMissing:
            (.programUnsuitable, "there is no Borg of that name at the server of repository 'offsite'")
        case .nameUnknown: (.connectionLost, "the name of the server of repository 'offsite' cannot be resolved")
        case .portClosed: (.connectionLost, "the server of repository 'offsite' cannot be reached")
        }
    }

    /// A repository in whose way the fault stands.
    func repository(of remote: RemoteHost) async throws -> BorgRepository {
        let server = remote.server
        switch self {
        case .hostKeyChanged: try server.accept(hostKey: server.directory.appending("id.pub"))
        case .hostKeyUnknown: try write("", to: server.knownHosts)
        case .loginRefused: try write("", to: server.directory.appending("authorized_keys"))
        case .keyWithPassphrase:
            let changed = try await runProgram(
                "ssh-keygen", ["-q", "-p", "-N", "secret", "-f", server.identity.string])
            #expect(changed.succeeded)
        case .keyReadableByAll: #expect(chmod(server.identity.string, 0o644) == 0)
        case .keyMissing, .borgMissing, .nameUnknown, .portClosed: break
        }
        return remote.repository { settings in
            switch self {
            case .keyMissing: settings.ssh?.identityFile = "/nonexistent/key"
            case .borgMissing: settings.remotePath = "borg15"
            case .nameUnknown: settings.location = "somebody@no-such-host.invalid:repository"
            case .portClosed: settings.ssh?.port = 2
            default: break
            }
        }
    }
}

@Suite("A server")
struct ServerFaultTests {
    @Test(
        "that cannot be used is told by what ssh says of it, and only one that may come back is worth another try",
        arguments: ServerFault.allCases, BorgUnderTest.allCases)
    func unusable(fault: ServerFault, version: BorgUnderTest) async throws {
        try await RemoteHost.withRepository(version) { remote in
            let set = try remote.host.seal()
            let repository = try await fault.repository(of: remote)
            let error = try #require(
                try await borgError { _ = try await repository.create(set, at: Host.time) })
            #expect(error.code == fault.expected.code, "\(error)")
            #expect(error.message == fault.expected.message, "\(error)")
            #expect(error.hint?.isEmpty == false)
            #expect(error.isTransient == [.nameUnknown, .portClosed].contains(fault))
            #expect(error.untrustedArchive == nil)
            #expect(try await remote.isSound(archives: ["foreign"]))
        }
    }

    @Test(
        "whose disk is full says so, keeps nothing, and goes on when there is space", arguments: BorgUnderTest.allCases)
    func fullDisk(version: BorgUnderTest) async throws {
        try await RemoteHost.with(version) { remote in
            let small = remote.host.borg.scratch.appending("small")
            try FileSystem.createDirectory(small)
            try await withMemoryFileSystem(kibibytes: 6 << 10, at: small) {
                try await keepsNothing(remote) {
                    $0.location = remote.server.location(of: "small/repository")
                } makeSpace: {
                    let larger = try await runProgram("mount", ["-o", "remount,size=60m", small.string])
                    #expect(larger.succeeded, "\(larger.lastErrors)")
                }
            }
        }
    }

    @Test("whose quota is reached says so and keeps nothing", arguments: BorgUnderTest.allCases)
    func quota(version: BorgUnderTest) async throws {
        try await RemoteHost.with(version, options: "--storage-quota 10M") { remote in
            try await keepsNothing(remote) { _ in
            } makeSpace: {
                try FileSystem.removeFile(remote.host.current.pushing("app/big"))
            }
        }
    }

    private func keepsNothing(
        _ remote: RemoteHost, _ change: (inout RepositorySettings) -> Void, makeSpace: () async throws -> Void
    ) async throws {
        let repository = remote.repository {
            $0.initialize = .repokeyBlake2
            change(&$0)
        }
        _ = try await repository.initializeIfMissing()
        let large = try await remote.sealLarge()
        let error = try #require(try await borgError { _ = try await repository.create(large, at: Host.time) })
        #expect(error.code == .noSpace, "\(error)")
        #expect(!error.isTransient)
        #expect(error.context["archive"] == "\(Host.archiveName) (not there)", "\(error)")
        #expect(try await repository.archives().isEmpty)
        try await makeSpace()
        _ = try await repository.create(try remote.host.seal([:]), at: Host.time)
        #expect(try await repository.archives().map(\.name) == [Host.archiveName])
    }

    @Test("on which another host's Borg holds the lock is worth another try, later", arguments: BorgUnderTest.allCases)
    func locked(version: BorgUnderTest) async throws {
        try await RemoteHost.withRepository(version) { remote in
            let set = try remote.host.seal()
            try await remote.host.whileLocked {
                let repository = remote.repository { $0.lockWait = .seconds(1) }
                let error = try #require(try await borgError { _ = try await repository.create(set, at: Host.time) })
                #expect(error.code == .locked, "\(error)")
                #expect(error.isTransient)
            }
            _ = try await remote.repository().create(set, at: Host.time)
            #expect(try await remote.isSound(archives: ["foreign", Host.archiveName]))
        }
    }

    @Test("is used as before when this host has lost Borg's cache of it", arguments: BorgUnderTest.allCases)
    func cacheGone(version: BorgUnderTest) async throws {
        try await RemoteHost.withRepository(version) { remote in
            let set = try remote.host.seal()
            _ = try await remote.repository().create(set, at: Host.time)
            try FileTree(remote.clientHome.appending(".cache")).remove()
            let later = Timestamp("2026-11-24T08:01:02Z")!
            let confirmed = try await remote.repository().create(set, at: later)
            #expect(confirmed.storedBytes < 10_000, "the server has it all")
            #expect(
                try await remote.isSound(archives: ["foreign", Host.archiveName, "web1-nightly-2026-11-24T08:01:02Z"]))
        }
    }

    @Test("that moved is left to a person to confirm", arguments: BorgUnderTest.allCases)
    func moved(version: BorgUnderTest) async throws {
        try await RemoteHost.withRepository(version) { remote in
            let set = try remote.host.seal()
            _ = try await remote.repository().prepare()
            try FileSystem.rename(remote.host.borg.repository, to: remote.server.served.appending("moved"))
            let moved = remote.repository { $0.location = remote.server.location(of: "moved") }
            let error = try #require(try await borgError { _ = try await moved.create(set, at: Host.time) })
            #expect(error.code == .repositoryUnconfirmed, "\(error)")
            #expect(!error.isTransient)
        }
    }

    @Test(
        "that has an older copy of the repository is not written to until Borg's notes of it are gone",
        arguments: BorgUnderTest.allCases)
    func setBack(version: BorgUnderTest) async throws {
        try await RemoteHost.withRepository(version) { remote in
            let (set, repository) = (try remote.host.seal(), remote.repository())
            _ = try await repository.create(set, at: Host.time)
            let (path, copy) = (remote.host.borg.repository, remote.host.borg.scratch.appending("copy"))
            #expect(try await runProgram("cp", ["-a", path.string, copy.string]).succeeded)
            _ = try await repository.create(set, at: Timestamp(milliseconds: Host.time.milliseconds + 60_000))
            try await eventually { remote.server.serving.isEmpty }
            try FileTree(path).remove()
            try FileSystem.rename(copy, to: path)
            let error = try #require(
                try await borgError {
                    _ = try await repository.create(set, at: Timestamp(milliseconds: Host.time.milliseconds + 120_000))
                })
            #expect(error.code == .repositoryUnconfirmed && !error.isTransient, "\(error)")
            let security = remote.clientHome.appending(".config/borg/security")
            let file = "\(security)/ID/manifest-timestamp (and keep the file nonce there)"
            let hint = try #require(error.hint)
            #expect(
                hint.hasSuffix(
                    "run: muster borg offsite -- delete --cache-only; rm \(file); to find ID, run: grep . \(security)/*/location"
                ),
                "\(hint)")
            let found = try await runProgram("sh", ["-c", "grep . \(security)/*/location"])
            let location = String(decoding: found.output, as: UTF8.self)
            #expect(location.hasSuffix("/repository\n") && location.contains("ssh://"), "\(location)")
            let id = try #require(try FileSystem.names(in: security).first)
            try FileSystem.removeFile(security.appending(id).appending("manifest-timestamp"))
            try FileTree(remote.clientHome.appending(".cache/borg").appending(id)).remove()
            _ = try await repository.create(set, at: Timestamp(milliseconds: Host.time.milliseconds + 120_000))
            #expect(try await remote.host.archives().count == 3)
        }
    }
}
