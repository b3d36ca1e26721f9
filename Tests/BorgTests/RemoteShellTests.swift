import SystemPackage
import TestSupport
import Testing

@testable import Borg

@Suite("What Borg is given as its ssh")
struct RemoteShellTests {
    private static let always = [
        "-oBatchMode=yes", "-oConnectTimeout=60", "-oServerAliveInterval=10", "-oServerAliveCountMax=30",
    ]

    /// The words that ssh gets, as Borg takes the command apart.
    private func words(_ settings: RepositorySettings, operatorHasOne: Bool = false) async throws -> [String]? {
        guard let command = RemoteShell.command(for: settings, operatorHasOne: operatorHasOne) else { return nil }
        let split = try await runProgram(
            "python3", ["-c", "import shlex, sys; print('\\n'.join(shlex.split(sys.argv[1])))", command])
        let words = String(decoding: split.output, as: UTF8.self).split(separator: "\n").map(String.init)
        #expect(words.prefix(2) == ["sh", "-c"] && words[3] == "ssh")
        return Array(words.dropFirst(4))
    }

    private func settings(_ location: String, _ ssh: SSHSettings? = nil) -> RepositorySettings {
        var settings = RepositorySettings()
        settings.location = location
        settings.ssh = ssh
        return settings
    }

    @Test("never asks and notices a dead server, whatever the job says")
    func always() async throws {
        #expect(try await words(settings("me@host:repo")) == Self.always)
        #expect(try await words(settings("ssh://me@host/repo"), operatorHasOne: true) == nil, "theirs is used")
        #expect(try await words(settings("me@host:repo", SSHSettings()), operatorHasOne: true) == Self.always)
        #expect(try await words(settings("/srv/repo")) == nil)
        #expect(try await words(settings("file:///srv/repo")) == nil)
    }

    @Test("has what the job says, the operator's options first, in quotes that Borg understands")
    func block() async throws {
        var ssh = SSHSettings()
        ssh.identityFile = "/run/it's secret/key"
        ssh.port = 2222
        ssh.knownHosts = "/etc/known hosts"
        ssh.options = ["ServerAliveInterval=1", "ProxyCommand=nc -x 'a b' %h %p"]
        #expect(
            try await words(settings("me@host:repo", ssh))
                == ["-oServerAliveInterval=1", "-oProxyCommand=nc -x 'a b' %h %p"] + Self.always + [
                    "-oIdentitiesOnly=yes", "-i", "/run/it's secret/key", "-oUserKnownHostsFile=\"/etc/known hosts\"",
                    "-p", "2222",
                ])
    }
}
