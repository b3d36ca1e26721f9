import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

/// Commands that make a job, on a host that has none.
@Suite("Setting up a job")
struct SetupTests {
    private func withoutJob(_ body: (TestHost, FilePath) async throws -> Void) async throws {
        try await TestHost.withFiles(hasRepository: false) { host in
            let jobs = host.scratch.appending("etc")
            host.environment["MUSTER_CONFIG_DIRECTORY"] = jobs.string
            try await body(host, jobs)
        }
    }

    private func generate(_ host: TestHost, _ options: String = "") async throws -> Command.Result {
        try await host.shell(
            "$MUSTER config generate nightly --directory \(host.source) --repository \(host.scratch)/backup/nightly "
                + "--staging \(host.scratch)/lib/nightly \(options)")
    }

    @Test("by options gives a job that runs, and a second time keeps what there is")
    func generated() async throws {
        try await withoutJob { host, jobs in
            let first = try await generate(host)
            #expect(first.status == .exited(0), "\(first.errors)")
            let (file, passphrase) = (jobs.appending("nightly.yaml"), jobs.appending("nightly.passphrase"))
            for path in [file, passphrase] { #expect(try FileSystem.status(of: path).mode == 0o600) }
            let (text, secret) = (try read(file), try read(passphrase))
            #expect(secret.count == 65 && text.hasSuffix("\n"))
            let second = try await generate(
                host,
                "--port 1 || true; $MUSTER config generate nightly --directory /etc "
                    + "--repository \(host.scratch)/never/y --staging \(host.scratch)/never/z/nightly")
            #expect(second.status == .exited(0), "\(second.errors)")
            #expect(
                second.output
                    == "kept the passphrase in \(passphrase)\nkept the job file \(file): edit it to change the job\n")
            #expect(try read(file) == text && read(passphrase) == secret)
            #expect(access("\(host.scratch)/never", F_OK) != 0, "nothing is made for what is not written")
            for command in ["check", "run", "verify", "list"] {
                let result = try await host.shell(
                    "$MUSTER \(command) nightly".replacing("list nightly", with: "list --job nightly"))
                #expect(result.status == .exited(0), "\(command): \(result.errors)")
            }
            #expect(access(jobs.appending("nightly.key").string, F_OK) == 0)
        }
    }

    @Test("by options that are wrong writes nothing and says why")
    func wrong() async throws {
        try await withoutJob { host, jobs in
            let result = try await generate(host, "--port 1")
            #expect(result.status == .exited(64), "\(result.errors)")
            #expect(result.errors.contains("no PostgreSQL server listens at a socket for port 1"), "\(result.errors)")
            #expect(access(jobs.string, F_OK) != 0)
        }
    }

    /// The questions about servers that this machine happens to have come first.
    private func answers(_ rest: String...) throws -> String {
        let place = FilePath("/run/postgresql")
        let names = access(place.string, F_OK) == 0 ? try FileSystem.names(in: place) : []
        let servers = names.filter { $0.string.wholeMatch(of: /\.s\.PGSQL\.\d+/) != nil }
        return (servers.map { _ in "no" } + rest).joined(separator: "\\n") + "\\n"
    }

    @Test("by questions asks again after a wrong answer, checks the job, and tells what to store elsewhere")
    func asked() async throws {
        try await withoutJob { host, jobs in
            let answers = try answers("/nowhere", host.source.string, "backup", "\(host.scratch)/backup/nightly")
            // Staging areas are below /var/lib/muster, which is this host's.
            let apart = "mkdir -p /var/lib/muster; mount -t tmpfs tmpfs /var/lib/muster"
            let result = try await host.shell(
                "cd \(host.scratch); printf '\(answers)' > answers; unshare --mount sh -c '\(apart); $MUSTER init < answers && $MUSTER init < /dev/null'"
            )
            #expect(result.status == .exited(0), "\(result.output) \(result.errors)")
            for text in [
                "There is no directory /nowhere.", "'backup' is neither.", "\nnightly: READY\n",
                "\n  \(jobs)/nightly.passphrase\n  \(jobs)/nightly.key\n", "The job 'nightly' is there already",
            ] { #expect(result.output.contains(text), "\(text) is not in \(result.output)") }
        }
    }

    @Test("by questions that nobody answers writes nothing")
    func unanswered() async throws {
        try await withoutJob { host, jobs in
            let result = try await host.shell("$MUSTER init < /dev/null")
            #expect(result.status == .exited(1), "\(result.errors)")
            #expect(result.errors.contains("muster config generate --help"), "\(result.errors)")
            #expect(access(jobs.string, F_OK) != 0)
        }
    }

    @Test("with a hook for failures, tells it what failed, and a hook that fails or hangs is a failure")
    func hook() async throws {
        try await TestHost.withFiles(hasRepository: false) { host in
            try await host.mustSucceed("dump")
            for (program, deadline, status) in [
                ("env > \(host.scratch)/told", 60, 0), ("echo no >&2; exit 7", 60, 1), ("sleep 100", 1, 1),
            ] {
                let hook = host.scratch.appending("hook")
                try write("#!/bin/sh\n\(program)\n", to: hook)
                #expect(chmod(hook.string, 0o755) == 0)
                let result = try await host.shell(
                    "printf 'hooks: {on_failure: [\(hook), a b], deadline: \(deadline)s}\\n' >> $JOB; MONITOR_UNIT=muster@x.service $MUSTER failed --config $JOB"
                )
                #expect(result.status == .exited(Int32(status)), "\(result.errors)")
                if program.contains("exit 7") {
                    #expect(
                        result.errors.contains("of hooks: on_failure exited with status 7: \(hook)\n  stderr: no"),
                        "\(result.errors)")
                }
            }
            let told = try read(host.scratch.appending("told"))
            #expect(
                told.contains("MUSTER_UNIT=muster@x.service\n") && told.contains("MUSTER_REPORT=\(host.staging)/runs/"),
                "\(told)")
        }
    }
}
