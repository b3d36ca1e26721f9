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
        try await TestHost.withFiles(version) { host in
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
            let missing = try await host.shell("env -u BORG_EXIT_CODES $MUSTER borg --config $JOB -- info ::no-such")
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
        try await TestHost.withFiles { host in
            // What is handed on, as `borg` sees it and as the shell does that becomes muster.
            let look = "grep -E 'Sig(Ign|Blk)' /proc/self/status; set -- /proc/$$/fd/*; echo $#"
            try host.fake(
                "borg",
                """
                echo "pid $$ in $PWD, $(tty), $WORD, repository $BORG_REPO, words $*"
                \(look)
                tr '\\0' '\\n' < /proc/$$/environ | grep -c horse
                tr '\\0' '\\n' < /proc/$$/cmdline | grep -c horse
                cat <&$BORG_PASSPHRASE_FD
                exit 77
                """)
            try write(
                "cd /; echo $$\n\(look)\nexec $MUSTER borg --config $JOB -- any --thing 'a b'\n",
                to: host.scratch.appending("shell"))
            let run = try await host.shell("WORD=kept script -qec 'bash \(host.scratch)/shell' /dev/null")
            #expect(run.status == .exited(77), "\(run.output)")
            let lines = run.output.split(whereSeparator: \.isNewline).map(String.init)
            try #require(lines.count == 11, "\(lines)")
            let (before, after) = (lines[...3], lines[4...])
            #expect(after[4].hasPrefix("pid \(before[0]) in /, /dev/pts/"), "\(lines)")
            #expect(after[4].hasSuffix(", kept, repository \(host.repository), words any --thing a b"), "\(lines)")
            // Beyond these 31 are signals of the C library's own.
            let signals = { (lines: ArraySlice<String>) in lines.map { $0.suffix(7) } }
            #expect(signals(after[5...6]) == signals(before[1...2]), "\(lines)")
            let descriptors = try #require(Int(before[3]))
            #expect(after[7] == "\(descriptors + 1)", "one more, the passphrase's: \(lines)")
            #expect(after[8...9] == ["0", "0"], "\(lines)")
            #expect(after[10] == "correct horse battery staple", "\(lines)")
        }
    }

    @Test("mounts an archive that is named as anywhere, at an empty directory only")
    func mount() async throws {
        try await TestHost.withFiles { host in
            try await host.mustSucceed("run")
            let name = try await host.newestArchive()
            let (empty, full) = (host.scratch.appending("empty"), host.scratch.appending("full"))
            for directory in [empty, full] { try FileSystem.createDirectory(directory) }
            try write("", to: full.appending("file"))
            try host.fake("borg", #"case "$*" in *mount*) echo "$*"; exit 9 ;; esac; exec $BORG "$@""#)
            let mounted = try await host.muster("mount", "latest", empty.string)
            #expect(mounted.status == .exited(9) && mounted.output == "mount ::\(name) \(empty)\n", "\(mounted)")
            let stays = try await host.muster("mount", "latest", empty.string, "--foreground")
            #expect(stays.output == "mount --foreground ::\(name) \(empty)\n", "\(stays)")
            let refused = try await host.muster("mount", "latest", full.string)
            #expect(refused.status == .exited(64) && refused.errors.contains("is not an empty directory"), "\(refused)")
        }
    }

    @Test("needs the repository's name where the job has several, and a name that it has")
    func which() async throws {
        try await TestHost.withFiles { host in
            _ = host.addSecondRepository()
            let which = try await host.shell("$MUSTER borg --config $JOB -- list")
            #expect(which.status == .exited(64))
            #expect(
                which.errors.contains("The job 'nightly' has several\n  hint: Name one of local, second."),
                "\(which.errors)")
            let unknown = try await host.shell("$MUSTER borg third --config $JOB -- list")
            #expect(unknown.status == .exited(64) && unknown.errors.contains("has no repository 'third'"))
            try write("", to: FilePath(host.job.passphraseFile))
            let secret = try await host.shell("$MUSTER borg local --config $JOB -- list")
            #expect(secret.status == .exited(4) && secret.errors.contains("passphrase of repository 'local'"))
        }
    }
}
