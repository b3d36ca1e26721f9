import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("muster check")
struct CheckTests {
    private func lastLine(_ output: String) -> String { String(output.split(separator: "\n").last ?? "") }

    @Test("ends with a verdict, in words and in JSON, that names what is not ready")
    func verdict() async throws {
        try await TestHost.with { host in
            let ready = try await host.muster("check")
            #expect(ready.status == .exited(0), "\(ready.errors)")
            #expect(lastLine(ready.output) == "nightly: READY")
            #expect(try await !host.muster("check", "--quiet").output.contains("READY"))
            #expect(try FileSystem.names(in: host.scratch).allSatisfy { !$0.string.contains("muster-check") })

            host.job.repository = host.scratch.appending("missing/repository").string
            host.job.initialize = "repokey-blake2"
            let check = try await host.muster("check")
            #expect(check.status == .exited(4), "\(check.output)")
            #expect(lastLine(check.output) == "nightly: NOT READY: repository local")
            #expect(
                lastLine(try await host.muster("check", "--quiet").output) == "nightly: NOT READY: repository local")
            let json = try await host.muster("check", "--json").output
            #expect(json.contains(#""ready" : false"#))
            #expect(json.contains(#""verdict" : "nightly: NOT READY: repository local""#))
            let run = try await host.muster("run")
            #expect(run.status == .exited(4), "check and run agree: \(run.errors)")

            try await host.server.stop()
            let both = try await host.muster("check")
            #expect(both.status == .exited(3))
            #expect(lastLine(both.output) == "nightly: NOT READY: dump app, repository local")
        }
    }

    @Test("writes to the staging directory, and says if nobody can")
    func staging() async throws {
        try await TestHost.withFiles { host in
            try FileSystem.createDirectory(host.staging)
            try await withMemoryFileSystem(kibibytes: 20 << 10, at: host.staging) {
                try await host.mustSucceed("dump")
                try await output("mount", "-o", "remount,ro", host.staging.string)
                let check = try await host.muster("check")
                #expect(check.status == .exited(3), "\(check.output)")
                #expect(
                    check.output.contains("failure: cannot write to \(host.staging): Read-only file system [system]"),
                    "\(check.output)")
                #expect(lastLine(check.output) == "nightly: NOT READY: staging")
            }
        }
    }

    @Test("sees a run in progress, which another run would not wait for")
    func running() async throws {
        try await TestHost.with { host in
            try await host.mustSucceed("dump")
            host.job.dumpLines.append("    lock_timeout: 1h")
            let host = host
            let run = try await host.whileLocking("orders", in: "shop") {
                let run = Task { try await host.muster("dump") }
                try await eventually { try await host.muster("status").output.contains("running now: ") }
                let check = try await host.muster("check")
                #expect(check.status == .exited(6), "\(check.output)")
                #expect(check.output.contains(" is in use by 'muster dump nightly' (pid "), "\(check.output)")
                #expect(lastLine(check.output) == "nightly: NOT READY: staging")
                return run
            }
            #expect(try await run.value.status == .exited(0))
            #expect(lastLine(try await host.muster("check").output) == "nightly: READY")
        }
    }

    @Test("sees a reader too, and what a reader has left behind")
    func reader() async throws {
        try await TestHost.withFiles { host in
            try await host.mustSucceed("dump")
            let pid = host.scratch.appending("pid")
            let lent = try await host.muster("with-lock", "--", "sh", "-c", "sleep 1000 & echo $! >\(pid)")
            #expect(lent.status == .exited(0), "\(lent.errors)")
            let check = try await host.muster("check")
            kill(try #require(pid_t(read(pid).dropLast())), SIGKILL)
            #expect(check.status == .exited(6), "\(check.output)")
            #expect(check.output.contains("staging area \(host.staging) is "), "\(check.output)")
            let now = host
            try await eventually { try await now.muster("check").status == .exited(0) }
        }
    }

    @Test("says that two repositories are one, whatever they are called")
    func sameRepository() async throws {
        try await TestHost.withFiles { host in
            let link = host.scratch.appending("link")
            #expect(symlink(host.repository.string, link.string) == 0)
            host.environment["BORG_RELOCATED_REPO_ACCESS_IS_OK"] = "yes"
            host.job.repositoryLines.append(
                "  second: {location: \(link), passphrase: {file: \(host.scratch)/passphrase}}")
            let check = try await host.muster("check")
            #expect(check.status == .exited(4), "\(check.output) \(check.errors)")
            #expect(
                check.output.contains(
                    "failure: 'local' and 'second' are the same repository under two locations [same_repository] — Leave one out."
                ), "\(check.output)")
            #expect(lastLine(check.output) == "nightly: NOT READY: repository second")
        }
    }

    @Test("A list on another host counts the archives that it does not show")
    func hidden() async throws {
        try await TestHost.withFiles { host in
            try await host.mustSucceed("run")
            host.job.staging = host.scratch.appending("other").string
            host.jobName = "other"
            let list = try await host.muster("list")
            #expect(list.status == .exited(0))
            #expect(
                list.output == """
                    repository local: 0 archives of this job
                      1 more archive is not of this job on this host: muster list --all

                    """)
            #expect(try await host.muster("list", "--json").output.contains(#""hidden" : 1"#))
            #expect(try await !host.muster("list", "--all").output.contains("more archive"))
        }
    }

    @Test("A name that is nearly right is answered with the right one")
    func near() async throws {
        try await TestHost.withFiles { host in
            try await host.mustSucceed("run")
            func said(_ arguments: String...) async throws -> String {
                let result = try await host.start(arguments).result()
                return result.output + result.errors
            }
            #expect(
                try await said("chekc").contains(
                    "muster: muster has no command 'chekc'\n  hint: Did you mean 'check'? It has: init, "))
            #expect(
                try await said("config", "shwo").contains(
                    "muster config has no command 'shwo'\n  hint: Did you mean 'show'? It has: "))
            #expect(
                try await said("list", "-r", "locla").contains(
                    "muster: the job 'nightly' has no repository 'locla'\n  hint: Did you mean 'local'? It has: local.\n"
                ))
            #expect(
                try await said("dump", "ap", "--into", "/nowhere").contains(
                    "muster: the job 'nightly' has no dump 'ap'\n  hint: Did you mean 'app'? It has: app.\n"))
            #expect(
                try await said("run", "--jbo", "nightly").hasPrefix(
                    "muster: unknown option '--jbo'\n  hint: Did you mean '--job'?\n"))
            #expect(try await said("help", "rnu").contains("has no command 'rnu'\n  hint: Did you mean 'run'? "))
            #expect(
                try await said("list", "nightly").contains(
                    "has an archive 'nightly'\n  repositories: local\n  hint: 'nightly' is the job: name it with --job. "
                ))
            #expect(try await said("info", "latst").contains("hint: Did you mean 'latest'? To see them: "))
            #expect(
                try await said("with-lock", "--max-age", "26", "--", "true").contains(
                    "26 has no unit\n  hint: Write 26s, 26m, 26h or 26d."))
            #expect(
                try await said("verify", "--set", "/nowhere/set").contains(
                    "muster: there is no set at /nowhere/set: nothing is there"))
        }
    }
}
