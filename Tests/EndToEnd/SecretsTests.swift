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
            let run = try host.start(["run", "-vv"])
            let seen = Recorded<String>()
            let watcher = Task {
                while !Task.isCancelled {
                    for name in try FileSystem.names(in: "/proc")
                    where Int(name.string) != nil && name.string != "\(getpid())" {
                        for file in ["cmdline", "environ"] {
                            // Processes come and go while we look.
                            guard let text = try? read(FilePath("/proc/\(name)/\(file)")) else { continue }
                            if text.contains(password) || text.contains(passphrase) {
                                seen.append("\(name) \(file): \(text)")
                            }
                        }
                    }
                    try await Task.sleep(for: .milliseconds(5))
                }
            }
            let result = try await run.result()
            watcher.cancel()
            #expect(result.status == .exited(0), "\(result.errors)")
            #expect(seen.all.isEmpty)
            #expect(result.errors.contains("pg_dump"), "the run said much: \(result.errors.prefix(300))")
            #expect(!(result.output + result.errors).contains(password))
            #expect(!(result.output + result.errors).contains(passphrase))
            let theirs = ["passphrase", "secret-of-app"].map { host.scratch.appending($0).string }
            #expect(try await host.filesHolding([password, passphrase]) == theirs)
        }
    }
}

extension TestHost {
    /// The files that have one of these in them: on this host, and, of what is new since, where programs write to by custom. Not
    /// among what other tests do meanwhile.
    fileprivate func filesHolding(_ secrets: [String]) async throws -> [String] {
        let patterns = secrets.flatMap { ["-e", $0] }
        let places = ["/tmp", "/run", "/var/log", "/var/tmp", "/dev/shm"]
        let isNew = ["-path", "/tmp/muster-*", "-prune", "-o", "-newer", "\(scratch)/passphrase", "-type", "f"]
        let ours = try await command("/bin/grep", arguments: ["-rlaF"] + patterns + [scratch.string])
        let others = try await command(
            "/usr/bin/find", arguments: places + isNew + ["-exec", "grep", "-laF"] + patterns + ["{}", "+"])
        return (ours.output + others.output).split(separator: "\n").map(String.init).sorted()
    }
}
