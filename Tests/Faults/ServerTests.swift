import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("A run whose repository is on a server")
struct ServerTests {
    @Test("tries again when the server is away for a moment, and says why and after how long")
    func retried() async throws {
        try await TestHost.withServer { host, server in
            let (tried, link) = (host.scratch.appending("tried"), try server.slowLink(bytesPerSecond: 1 << 30))
            try write(
                "#!/bin/sh\n[ -e \(tried) ] || { touch \(tried); exit 1; }\nexec \(link.dropFirst(13))\n"
                    .replacing("%h %p", with: "$@"), to: host.scratch.appending("away-once"),
                mode: .ownerReadWriteExecute)
            host.use(server, ["ProxyCommand=\(host.scratch)/away-once %h %p"], retry: "{times: 1, wait: 1s}")
            let run = try await host.muster("run")
            #expect(run.status == .exited(0), "\(run.errors)")
            #expect(run.errors.contains("retrying the archive after a transient failure"), "\(run.errors)")
            #expect(run.errors.contains("the connection to repository 'local' failed or broke"), "\(run.errors)")
            #expect(try await host.archivesOnServer().count == 1)
        }
    }

    @Test("tries again when the connection breaks under an archive that was begun, and leaves one archive")
    func retriedWhenBegun() async throws {
        try await TestHost.withServer { host, server in
            host.use(server, [try server.slowLink(bytesPerSecond: 128 << 10)], retry: "{times: 2, wait: 1s}")
            // It keeps the create busy for four seconds.
            try await output("dd", "if=/dev/urandom", "of=\(host.source)/large", "bs=1K", "count=512", "status=none")
            let running = try host.start(["run"])
            let ledger = host.staging.appending("repositories").appending("local.json")
            // The ssh of the create is the first after the note that it begins. What serves may still be that of a Borg before it.
            try await eventually {
                access(ledger.string, F_OK) == 0 && !server.clients.isEmpty && !server.serving.isEmpty
            }
            for client in server.clients { kill(client, SIGKILL) }
            let run = try await running.result()
            #expect(run.status == .exited(0), "\(run.errors)")
            #expect(run.errors.contains("retrying the archive after a transient failure"), "\(run.errors)")
            #expect(try await host.archivesOnServer().count == 1)
            let noted = try read(ledger)
            #expect(!noted.contains("began_at"), "nothing is left to settle: \(noted)")
        }
    }

    @Test(
        "does not try again what will fail again", arguments: ["the host key changed", "the passphrase is wrong"])
    func permanent(reason: String) async throws {
        try await TestHost.withServer { host, server in
            host.use(server, retry: "{times: 3, wait: 1h}")
            let first = try await host.muster("run")
            #expect(first.status == .exited(0), "\(first.errors)")
            let accepted = try read(server.knownHosts)
            let passphrase = try read(host.scratch.appending("passphrase"))
            if reason == "the host key changed" {
                try server.accept(hostKey: server.directory.appending("id.pub"))
            } else {
                try write("wrong\n", to: host.scratch.appending("passphrase"))
            }
            let run = try await host.muster("run")
            #expect(run.status == .exited(4), "\(run.errors)")
            #expect(
                run.errors.contains(reason == "the host key changed" ? "host key" : reason.prefix(14)), "\(run.errors)")
            #expect(try await host.muster("verify").status == .exited(0))
            try write(accepted, to: server.knownHosts)
            try write(passphrase, to: host.scratch.appending("passphrase"))
            let archive = try await host.muster("archive")
            #expect(archive.status == .exited(0), "\(archive.errors)")
            #expect(try await host.archivesOnServer().count == 2)
        }
    }

    @Test("ends when the server does not answer, with its set intact; archive finishes the job")
    func silent() async throws {
        try await TestHost.withServer { host, server in
            let link = try server.slowLink(bytesPerSecond: 1 << 30, isStopped: true)
            // A process of its caller's, which is looked for below.
            host.job.borg = BorgUnderTest.oldstable.program.string
            host.use(
                server, [link, "ConnectTimeout=3", "ServerAliveInterval=1", "ServerAliveCountMax=3"],
                retry: "{times: 0, wait: 0}")
            let run = try await host.muster("run")
            #expect(run.status == .exited(4), "\(run.errors)")
            // It depends on how far ssh has come with its handshake by then.
            let messages = [
                "the server of repository 'local' cannot be reached", "'local' hung",
                "the connection to repository 'local' failed or broke",
            ]
            #expect(messages.contains { run.errors.contains($0) }, "\(run.errors)")
            #expect(server.links.isEmpty, "nothing is left of it")
            #expect(try await host.muster("verify").status == .exited(0))
            // With all the time that it needs to connect.
            host.job.borg = "borg"
            host.use(server, retry: "{times: 0, wait: 0}")
            let archive = try await host.muster("archive")
            #expect(archive.status == .exited(0), "\(archive.errors)")
        }
    }

    @Test("stops waiting for another attempt when it is told to stop")
    func interrupted() async throws {
        try await TestHost.withServer { host, server in
            host.use(server, ["ProxyCommand=false"], retry: "{times: 1, wait: 1h}")
            let running = try host.start(["run"])
            try await eventually {
                try running.errorsSoFar().contains("retrying the archive after a transient failure")
            }
            running.send(SIGTERM)
            let run = try await running.result()
            #expect(run.status == .exited(143), "\(run.errors)")
            #expect(try await host.muster("verify").status == .exited(0))
        }
    }
}

@Suite("A passphrase command")
struct PassphraseCommandTests {
    @Test(
        "that fails or prints two lines keeps its repository from the archive, and no other",
        arguments: [("exit 3", "its command exited with status 3"), ("echo a; echo b", "it is more than one line")])
    func unfit(command: String, reason: String) async throws {
        try await TestHost.withFiles { host in
            host.job.repositoryLines += [
                "  second:", "    location: \(host.scratch)/second", "    passphrase: {command: '\(command)'}",
                "    initialize: repokey-blake2",
            ]
            let run = try await host.muster("run")
            #expect(run.status == .exited(4), "\(run.errors)")
            #expect(
                run.errors.contains("cannot read the passphrase of repository 'second': \(reason)"), "\(run.errors)")
            #expect(try await host.archiveNames().count == 1)
            #expect(try await host.muster("verify").status == .exited(0))
        }
    }
}

extension TestHost {
    /// A host beside a server that serves its scratch directory.
    fileprivate static func withServer(_ body: (inout TestHost, SSHServer) async throws -> Void) async throws {
        try await TestHost.withFiles { host in
            var changed = host
            try await SSHServer.with(in: host.scratch, serving: host.scratch) { server in
                try await body(&changed, server)
            }
        }
    }

    /// Has the job's repository on the server.
    fileprivate mutating func use(_ server: SSHServer, _ options: [String] = [], retry: String) {
        job.repository = server.location(of: "repository")
        job.repositoryLines = ["    lock_wait: 20s", "    ssh: \(server.block(options))", "    retry: \(retry)"]
    }

    /// As the server's owner sees them, with another Borg home: to this one, the repository is on the server.
    fileprivate func archivesOnServer() async throws -> [String] {
        var owner = self
        owner.environment["BORG_BASE_DIR"] = scratch.appending("owner").string
        owner.job.repository = repository.string
        return try await owner.archiveNames()
    }
}
