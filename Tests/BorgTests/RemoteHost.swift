import DumpCore
import Linux
import Processes
import Staging
import SystemPackage
import TestSupport
import Testing

@testable import Borg

/// A host whose repository is on a server, which it reaches by ssh.
struct RemoteHost: Sendable {
    let host: Host
    let version: BorgUnderTest
    let server: SSHServer

    /// - Parameters:
    ///   - options: of `borg serve`.
    ///   - isReal: whether the server's Borg is a process that can be stopped.
    static func with(
        _ version: BorgUnderTest, options: String = "", isReal: Bool = false, _ body: (RemoteHost) async throws -> Void
    ) async throws {
        try await Host.with(version) { host in
            let scratch = host.borg.scratch
            try await SSHServer.with(in: scratch, serving: scratch, options: options, isReal: isReal) { server in
                try await body(RemoteHost(host: host, version: version, server: server))
            }
        }
    }

    /// With a repository that holds an archive of somebody else's.
    static func withRepository(
        _ version: BorgUnderTest, options: String = "", isReal: Bool = false, _ body: (RemoteHost) async throws -> Void
    ) async throws {
        try await with(version, options: options, isReal: isReal) { remote in
            try await remote.host.borg.makeRepository()
            try await body(remote)
        }
    }

    /// - Parameter options: of ssh.
    func repository(
        _ options: [String] = [], _ change: (inout RepositorySettings) -> Void = { _ in }
    ) -> BorgRepository {
        var settings = host.repository().settings
        settings.location = server.location(of: "repository")
        settings.program = host.borg.program.string
        settings.remotePath = version == .stable ? "borg14" : nil
        settings.lockWait = .seconds(20)
        settings.creation.compression = "none"
        var ssh = SSHSettings()
        ssh.identityFile = server.identity
        ssh.port = SSHServer.port
        ssh.knownHosts = server.knownHosts
        ssh.options = options
        settings.ssh = ssh
        change(&settings)
        return BorgRepository(
            name: "offsite", settings: settings, passphrase: Secret(host.borg.passphrase), environment: environment,
            runner: host.runner, log: Host.log)
    }

    /// A Borg that is a process of its caller's where it creates an archive, and there at once where it does anything else.
    func borgCreatingItself() throws -> String {
        try host.borg.fakeBorg("[ $VERB = create ] && exec \(host.borg.realProgram) \"$@\"").string
    }

    /// The host's Borg has a home of its own: to it, the repository on the server is not the directory that the tests look into.
    private var environment: [String: String] {
        host.borg.environment.merging(["BORG_BASE_DIR": clientHome.string]) { $1 }
    }
    var clientHome: FilePath { host.borg.scratch.appending("client") }

    /// Of the repository's data.
    func bytesOnServer() -> Int64 { FileTree(host.borg.repository.appending("data")).bytes() }

    /// A set with so many MiB that no Borg can make smaller, which takes a while to send over a slow link.
    func sealLarge(mebibytes: Int = 24) async throws -> SealedSet {
        _ = try host.seal()
        let path = host.current.appending("app/big")
        let noise = try await runProgram("dd", ["if=/dev/urandom", "of=\(path)", "bs=1M", "count=\(mebibytes)"])
        #expect(noise.succeeded, "\(noise.lastErrors)")
        return try host.seal([:])
    }

    /// No lock, no checkpoint, no archive but these, nothing damaged; and what is done next succeeds.
    func isSound(archives: [String]) async throws -> Bool {
        // A server takes a moment to see that its client is gone.
        try await eventually { server.serving.isEmpty }
        try await host.borg.borg(["check"])
        return try await host.archives() == archives && host.lockIsFree
    }
}
