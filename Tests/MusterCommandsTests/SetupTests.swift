import DumpCore
import Glibc
import Linux
import MusterConfig
import SystemPackage
import TestSupport
import Testing

@testable import MusterCommands

@Suite("A new job")
struct JobTextTests {
    @Test("is what was answered, whatever is in its paths")
    func text() throws {
        var answers = JobAnswers(job: "shop", repository: "me@host:a b/\"c\": #d", in: "/etc/muster")
        answers.clusters = [
            LocalCluster(directory: "/run/postgresql", port: 5432, owner: "postgres"),
            LocalCluster(directory: "/tmp/it's", port: 5433, owner: "pg"),
        ]
        answers.directories = ["/srv/a b", "/srv/x: {y} #z", "/home/ä", "/srv/no", "/var/no"]
        answers.sshKey = "/etc/muster/key: #1"
        let job = try JobFile.parse(
            Array(answers.text.utf8), name: "shop", file: "/etc/muster/shop.yaml", kinds: BuiltInProviders.kinds)
        #expect(job.dumps.map(\.name) == ["postgresql", "postgresql-5433", "ab", "xyz", "home", "no", "var-no"])
        #expect(job.directories.map(\.path) == answers.directories)
        #expect(job.repositories.map(\.settings.location) == [answers.repository])
        #expect(job.repositories[0].settings.ssh?.identityFile == answers.sshKey)
        #expect(job.staging == "/var/lib/muster/shop")
        #expect(job.repositories[0].settings.passphrase == .file("/etc/muster/shop.passphrase"))
    }

    @Test("names rsync.net's Borg, and a repository on this host is local")
    func repositories() {
        #expect(JobAnswers(job: "a", repository: "1@usw-s001.rsync.net:a").remotePath == "borg14")
        #expect(JobAnswers(job: "a", repository: "1@usw-s001.rsync.net:a").isRemote)
        #expect(!JobAnswers(job: "a", repository: "/srv/backup/a").isRemote)
    }

    @Test("finds the servers that listen at a socket, each once, and nothing else of such a name")
    func clusters() async throws {
        try await withScratch { scratch in
            let (run, link) = (scratch.appending("run"), scratch.appending("link"))
            try FileSystem.createDirectory(run)
            #expect(symlink(run.string, link.string) == 0)
            // Neither +5433 nor 05432 is how a server writes its port.
            let sockets = try ["6000", "5432", "+5433", "05432", "0", "70000"].map {
                try NotifySocket(run.appending(".s.PGSQL.\($0)").string, isAbstract: false)
            }
            try write("", to: run.appending(".s.PGSQL.7000"))
            try write("", to: run.appending(".s.PGSQL.5432.lock"))
            let owner = try #require(UserAccount.current).name
            #expect(
                LocalCluster.found(in: [run, link, scratch.appending("missing")]) == [
                    LocalCluster(directory: run, port: 5432, owner: owner),
                    LocalCluster(directory: run, port: 6000, owner: owner),
                ])
            _ = sockets
        }
    }
}

@Suite("What the units need for a job")
struct UnitNeedsTests {
    private func needs(_ dumps: String, _ repository: String, staging: String = "/var/lib/muster/nightly") throws
        -> String?
    {
        let text = """
            staging: \(staging)
            dumps: {tree: {provider: directory, \(dumps)}}
            repositories: {one: {passphrase: {file: /etc/muster/passphrase}, \(repository)}}
            """
        let job = try JobFile.parse(
            Array(text.utf8), name: "nightly", file: "/etc/muster/nightly.yaml", kinds: BuiltInProviders.kinds)
        return UnitNeeds(of: job).text
    }

    @Test("is to wait for a repository on this host, and nothing more where the units let it write")
    func local() throws {
        #expect(
            try needs("path: /srv/documents", "location: /srv/backup/nightly")
                == "[Unit]\nRequiresMountsFor=\"/srv/backup/nightly\"\n")
    }

    @Test("is to write elsewhere, and to wait for what must be mounted")
    func elsewhere() throws {
        #expect(
            try needs("path: /data/50%, require_mount: true", "location: /backup/a b/nightly", staging: "/data/staging")
                == """
                [Unit]
                RequiresMountsFor="/data/staging" "/backup/a b/nightly" "/data/50%%"
                [Service]
                ReadWritePaths="-/data" "-/backup/a b"

                """)
    }

    @Test("is to write where the page is made")
    func page() throws {
        let needed = try needs(
            "path: /srv/a", "location: /srv/backup/n", staging: "/srv/s\nreport: {html: /var/www/muster/n.html}")
        #expect(needed?.hasSuffix("[Service]\nReadWritePaths=\"-/var/www/muster\"\n") == true)
    }

    @Test(
        "is to see what the units hide",
        arguments: [
            ("/usr", ["ProtectKernelModules=no"]), ("/var/tmp/app", ["PrivateTmp=no"]), ("/var", ["PrivateTmp=no"]),
            ("/", ["ProtectHome=read-only", "PrivateTmp=no", "ProtectKernelModules=no"]), ("/etc", []),
        ])
    func hidden(path: String, settings: [String]) throws {
        let lines = try #require(try needs("path: \(path)", "location: /srv/backup/n")).split(separator: "\n").map(
            String.init)
        #expect(lines.dropFirst(2) == (settings.isEmpty ? [] : ["[Service]"] + settings)[...])
    }

    @Test(
        "is to see homes, when the job reads there or ssh has its keys there",
        arguments: [
            ("path: /home/alice", "location: /srv/backup/n", true), ("path: /", "location: /srv/backup/n", true),
            ("path: /srv/a", "location: me@host:n", true),
            ("path: /srv/a", "location: me@host:n, ssh: {identity_file: /etc/muster/key}", true),
            (
                "path: /srv/a",
                "location: me@host:n, ssh: {identity_file: /root/.ssh/key, known_hosts: /etc/muster/hosts}", true
            ),
            (
                "path: /srv/a",
                "location: me@host:n, ssh: {identity_file: /etc/muster/key, known_hosts: /etc/muster/hosts}", false
            ),
            ("path: /homes", "location: /srv/backup/n", false),
        ])
    func homes(dump: String, repository: String, isNeeded: Bool) throws {
        #expect(try needs(dump, repository)?.contains("\nProtectHome=read-only\n") ?? false == isNeeded)
    }
}
