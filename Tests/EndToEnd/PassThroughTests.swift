import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("Any command of Borg's")
struct PassThroughTests {
    @Test(
        "runs on the job's repository, with its passphrase, and ends with Borg's status",
        arguments: BorgUnderTest.allCases)
    func status(version: BorgUnderTest) async throws {
        try await TestHost.with { host in
            host.job.borg = version.program.string
            try await host.mustSucceed("run")
            let name = try await host.newestArchive()
            // Another repository, or another passphrase, in the environment is not this one's.
            let listed = try await host.shell(
                "BORG_REPO=/nowhere BORG_PASSPHRASE=wrong $MUSTER borg --config $JOB -- list --short")
            #expect(listed.status == .exited(0) && listed.output == "\(name)\n", "\(listed.output) \(listed.errors)")
            let saved = try await host.shell(
                "printf hello | $MUSTER borg local --config $JOB -- create --stdin-name greeting ::own -")
            #expect(saved.status == .exited(0), "\(saved.errors)")
            let read = try await host.shell("$MUSTER borg --config $JOB -- extract --stdout ::own greeting")
            #expect(read.output == "hello")
            let missing = try await host.shell("$MUSTER borg --config $JOB -- info ::no-such")
            #expect(missing.status == .exited(2))
            #expect(missing.errors.contains("no-such does not exist"), "\(missing.errors)")
            if version == .stable {
                let modern = try await host.shell("BORG_EXIT_CODES=modern $MUSTER borg --config $JOB -- info ::no-such")
                #expect(modern.status == .exited(31), "the operator's choice of exit codes counts")
            }
        }
    }

    @Test(
        "takes muster's place: its process, terminal, directory, environment and signals, and the secret in memory only"
    )
    func place() async throws {
        try await TestHost.with { host in
            try host.fake(
                "borg",
                """
                echo "pid $$ in $PWD, $(tty), $WORD, repository $BORG_REPO, words $*"
                grep -E 'Sig(Ign|Blk)' /proc/$$/status
                tr '\\0' '\\n' < /proc/$$/environ | grep -c horse
                tr '\\0' '\\n' < /proc/$$/cmdline | grep -c horse
                ls /proc/$$/fd | tr '\\n' ' '
                cat <&$BORG_PASSPHRASE_FD
                exit 77
                """)
            let run = try await host.shell(
                "cd / && WORD=kept script -qec 'echo shell $$; exec '$MUSTER' borg --config '$JOB' -- any --thing \"a b\"' /dev/null"
            )
            #expect(run.status == .exited(77), "\(run.output)")
            let lines = run.output.split(whereSeparator: \.isNewline).map(String.init)
            let pid = try #require(lines.first?.split(separator: " ").last)
            #expect(
                lines[1].hasPrefix("pid \(pid) in /, /dev/pts/"), "\(lines)")
            #expect(lines[1].hasSuffix(", kept, repository \(host.repository), words any --thing a b"), "\(lines)")
            #expect(lines[2...3].allSatisfy { $0.hasSuffix("0000000000000000") }, "\(lines)")
            #expect(lines[4...5] == ["0", "0"], "\(lines)")
            // 255 is the shell's script; one more is the passphrase.
            #expect(lines[6].split(separator: " ").count == 5, "\(lines)")
            #expect(lines[7] == "correct horse battery staple", "\(lines)")
        }
    }

    @Test("needs the repository's name where the job has several, and a name that it has")
    func which() async throws {
        try await TestHost.with { host in
            _ = host.addSecondRepository()
            let which = try await host.shell("$MUSTER borg --config $JOB -- list")
            #expect(which.status == .exited(64))
            #expect(which.errors.contains("The job 'nightly' has local, second."), "\(which.errors)")
            let unknown = try await host.shell("$MUSTER borg third --config $JOB -- list")
            #expect(unknown.status == .exited(64) && unknown.errors.contains("has no repository 'third'"))
            try write("", to: FilePath(host.job.passphraseFile))
            let secret = try await host.shell("$MUSTER borg local --config $JOB -- list")
            #expect(secret.status == .exited(4) && secret.errors.contains("passphrase of repository 'local'"))
        }
    }
}
