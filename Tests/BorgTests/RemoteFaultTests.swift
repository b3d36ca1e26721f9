import DumpCore
import Glibc
import Linux
import Staging
import SystemPackage
import TestSupport
import Testing

@testable import Borg

/// What happens to a create while it sends its set.
enum LinkFault: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case sshIsKilled = "ssh is killed"
    case linkIsCut = "the link is cut"
    case linkIsBlackHole = "the link turns into a black hole"
    case serverBorgIsKilled = "the server's Borg is killed"
    case serverBorgHangs = "the server's Borg hangs"

    var testDescription: String { rawValue }

    var code: BorgError.Code { self == .serverBorgHangs ? .stalled : .connectionLost }

    var message: String {
        switch self {
        case .serverBorgHangs: "borg create on repository 'offsite' said nothing for 30s and was stopped"
        case .linkIsBlackHole: "the connection to repository 'offsite' hung, and ssh gave up"
        default: "the connection to repository 'offsite' failed or broke"
        }
    }

    /// Makes it happen, and returns who must not stay as they are afterwards.
    func strike(_ server: SSHServer) -> [pid_t] {
        switch self {
        case .sshIsKilled: signal(SIGKILL, server.clients)
        case .linkIsCut: signal(SIGKILL, server.links)
        case .linkIsBlackHole: signal(SIGSTOP, server.links)
        case .serverBorgIsKilled: signal(SIGKILL, server.serving)
        case .serverBorgHangs: signal(SIGSTOP, server.serving)
        }
    }

    private func signal(_ signal: Int32, _ processes: [pid_t]) -> [pid_t] {
        for process in processes { kill(process, signal) }
        return processes
    }
}

@Suite("A link to a repository")
struct RemoteFaultTests {
    @Test(
        "that fails in the middle of a create ends it in bounded time, with the set and the repository intact; the next one succeeds",
        arguments: LinkFault.allCases, BorgUnderTest.allCases)
    func fault(_ fault: LinkFault, version: BorgUnderTest) async throws {
        try await RemoteHost.withRepository(version, isReal: fault == .serverBorgHangs) { remote in
            let set = try await remote.sealLarge(mebibytes: 12)
            // Slow enough that the fault strikes in the middle, however late its turn comes on a busy machine.
            let link = try remote.server.slowLink(bytesPerSecond: 256 << 10)
            let struck = Recorded<pid_t>()
            // Found out by ssh itself, or by Borg's silence where ssh sees nothing wrong.
            let options = [link, "ServerAliveInterval=2", "ServerAliveCountMax=3"]
            let borg = try remote.borgCreatingItself()
            let repository = remote.repository(options) {
                $0.program = borg
                $0.lockWait = .seconds(1)
                // Until the first progress there is silence too, for as long as a busy machine lets Borg begin.
                $0.stallTimeout = fault == .serverBorgHangs ? .seconds(30) : nil
            }
            let error = try await borgError {
                _ = try await repository.create(set, at: Host.time) { progress in
                    guard progress.bytes > 0, struck.all.isEmpty else { return }
                    for process in fault.strike(remote.server) { struck.append(process) }
                }
            }
            #expect(!struck.all.isEmpty)
            #expect(error?.code == fault.code, "\(error?.description ?? "no error")")
            #expect(error?.message == fault.message)
            for process in struck.all { kill(process, SIGCONT) }
            #expect(try await remote.isSound(archives: ["foreign"]))
            _ = try await remote.repository().create(set, at: Host.time)
            #expect(try await remote.isSound(archives: ["foreign", Host.archiveName]))
        }
    }

    @Test(
        "that breaks is worth another try, whatever the server prints at login",
        arguments: [LinkFault.linkIsCut, .serverBorgIsKilled], BorgUnderTest.allCases)
    func brokenAfterNoise(_ fault: LinkFault, version: BorgUnderTest) async throws {
        try await RemoteHost.withRepository(version) { remote in
            try remote.server.greet(with: LoginNoiseTests.noise)
            let set = try await remote.sealLarge(mebibytes: 12)
            let link = try remote.server.slowLink(bytesPerSecond: 256 << 10)
            let struck = Recorded<pid_t>()
            let borg = try remote.borgCreatingItself()
            let error = try await borgError {
                _ = try await remote.repository([link]) { $0.program = borg }.create(set, at: Host.time) { progress in
                    guard progress.bytes > 0, struck.all.isEmpty else { return }
                    for process in fault.strike(remote.server) { struck.append(process) }
                }
            }
            #expect(error?.code == .connectionLost, "\(error?.description ?? "no error")")
            #expect(error?.isTransient == true)
            _ = try await remote.repository().create(set, at: Host.time)
            #expect(try await remote.isSound(archives: ["foreign", Host.archiveName]))
        }
    }
}
