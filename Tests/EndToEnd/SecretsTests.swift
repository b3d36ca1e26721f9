import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("Secrets")
struct SecretsTests {
    @Test("in no log, report, manifest, command line, environment or file, in a whole run at -vv")
    func nowhere() async throws {
        try await TestHost.with(hasRepository: false) { host in
            let (password, passphrase) = ("Pq7-database-secret", "Bz9-repository-secret")
            try await host.createRole("app", password: password)
            try await host.sql("GRANT pg_read_all_data TO app", in: "postgres")
            try write("\(password)\n", to: host.scratch.appending("secret-of-app"))
            try write("\(passphrase)\n", to: host.scratch.appending("passphrase"))
            host.job.connection = host.server.connection(as: "app")
            host.job.dumpLines = ["    password: {command: cat \(host.scratch)/secret-of-app}"]
            let watch = try SecretWatch(for: [password, passphrase])
            let run = try host.start(["run", "-vv"])
            let result = try await run.result()
            #expect(watch.end().isEmpty)
            #expect(result.status == .exited(0), "\(result.errors)")
            #expect(result.errors.contains("pg_dump"), "the run said much: \(result.errors.prefix(300))")
            #expect(!(result.output + result.errors).contains(password))
            #expect(!(result.output + result.errors).contains(passphrase))
            let theirs = ["passphrase", "secret-of-app"].map { host.scratch.appending($0).string }
            #expect(try await host.filesHolding([password, passphrase]) == theirs)
        }
    }

    @Test("in nothing that any command shows, fails with, hands on, or makes", arguments: [true, false])
    func everyCommand(isRight: Bool) async throws {
        try await TestHost.with(hasRepository: false) { host in
            // Of its own for each case: one sees the processes of the other.
            let (password, passphrase) = ("Pq8-\(isRight)-database-secret", "Bz8-\(isRight)-repository-secret")
            try await host.createRole("app", password: isRight ? password : "another")
            try await host.sql("GRANT pg_read_all_data TO app", in: "postgres")
            let credentials = host.scratch.appending("credentials")
            try FileSystem.createDirectory(credentials)
            try write(password, to: credentials.appending("db"))
            try write("\(passphrase)\n", to: host.scratch.appending("passphrase"))
            host.environment["CREDENTIALS_DIRECTORY"] = credentials.string
            host.job.connection = host.server.connection(as: "app")
            host.job.dumpLines = ["    password: {credential: db}"]
            host.job.repositoryLines += ["    key_export: \(host.scratch)/key"]
            let watch = try SecretWatch(for: [password, passphrase])
            var said: [String] = []
            func muster(_ words: String...) async throws {
                let result = try await host.start(words).result()
                #expect((result.status == .exited(0)) == isRight || words[0] == "config", "\(words): \(result.errors)")
                said.append(result.output + result.errors)
            }
            try await muster("check", "-vv")
            try await muster("run", "-vv", "--progress", "json")
            if isRight {
                try await muster("check", "-vv", "--json")
                for words in [["status", "--json"], ["list", "-vv"], ["list", "--json"], ["info", "latest", "-vv"]] {
                    said.append(try await host.start(words).result().output)
                }
                try await muster("extract", "latest", "--into", "\(host.scratch)/extracted", "-vv")
                try await muster("dump", "app", "--into", "\(host.scratch)/by-hand", "-vv")
                // Another one now: what Borg is asked for, and says, is of a wrong passphrase.
                try write("Bz8-another-secret", to: host.scratch.appending("passphrase"))
                let refused = try await host.start(["list", "-vv"]).result()
                #expect(refused.status != .exited(0))
                said.append(refused.output + refused.errors)
                try write("\(passphrase)\n", to: host.scratch.appending("passphrase"))
            }
            let seen = watch.end()
            #expect(seen.isEmpty)
            for text in said {
                for secret in [password, passphrase, "Bz8-another-secret"] { #expect(!text.contains(secret)) }
            }
            let theirs = ["credentials/db", "passphrase"].map { "\(host.scratch)/\($0)" }
            let found = try await host.filesHolding([password, passphrase])
            #expect(found == theirs)
            guard isRight else { return }
            #expect(try FileSystem.status(of: host.scratch.appending("key")).mode == 0o600)
        }
    }
}

/// Looks for secrets in the arguments and the environment of every process that begins meanwhile.
final class SecretWatch: Sendable {
    private let seen = Recorded<String>()
    private let task: Task<Void, any Error>

    init(for secrets: [String]) throws {
        // To read those of all others too, as often, would keep a processor busy.
        let before = Set(try FileSystem.names(in: "/proc"))
        task = Task { [seen] in
            while !Task.isCancelled {
                for name in try FileSystem.names(in: "/proc") where !before.contains(name) && Int(name.string) != nil {
                    for file in ["cmdline", "environ"] {
                        // Processes come and go while we look.
                        guard let text = try? read(FilePath("/proc/\(name)/\(file)")) else { continue }
                        if secrets.contains(where: text.contains) { seen.append("\(name) \(file): \(text)") }
                    }
                }
                try await Task.sleep(for: .milliseconds(5))
            }
        }
    }

    /// What was seen.
    func end() -> [String] {
        task.cancel()
        return seen.all
    }
}

extension TestHost {
    /// The files that have one of these in them: on this host, and, of what is new since, where programs write to by custom. Not
    /// among what other tests do meanwhile.
    func filesHolding(_ secrets: [String]) async throws -> [String] {
        let patterns = secrets.flatMap { ["-e", $0] }
        let places = ["/tmp", "/run", "/var/log", "/var/tmp", "/dev/shm"]
        let isNew = ["-path", "/tmp/muster-*", "-prune", "-o", "-newer", "\(scratch)/passphrase", "-type", "f"]
        let ours = try await command("/bin/grep", arguments: ["-rlaF"] + patterns + [scratch.string])
        let others = try await command(
            "/usr/bin/find", arguments: places + isNew + ["-exec", "grep", "-laF"] + patterns + ["{}", "+"])
        return (ours.output + others.output).split(separator: "\n").map(String.init).sorted()
    }
}
