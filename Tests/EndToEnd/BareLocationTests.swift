import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("A repository on a host without a job file")
struct BareLocationTests {
    @Test(
        "lists, shows and gives back what is in it, and leaves nothing on this host", arguments: BorgUnderTest.allCases)
    func readsAll(version: BorgUnderTest) async throws {
        try await TestHost.withFiles(version) { host in
            try await host.mustSucceed("run")
            let (archive, contents) = (try await host.newestArchive(), try host.contents(of: host.current))
            try host.becomeNew()
            let listed = try await host.bare("list", "--passphrase-file", "\(host.scratch)/passphrase")
            #expect(listed.status == .exited(0), "\(listed.errors)")
            #expect(listed.output.hasPrefix("repository \(host.repository): 1 archive\n"), "\(listed.output)")
            #expect(listed.output.contains(archive) && listed.output.contains("unknown"))
            let variable = ["BORG_PASSPHRASE": "correct horse battery staple"]
            let info = try await host.bare("info", archive, environment: variable)
            #expect(info.output.contains("standing    unknown"), "\(info.errors)")
            let target = host.scratch.appending("restored")
            let command = ["BORG_PASSCOMMAND": "cat \(host.scratch)/passphrase"]
            let extracted = try await host.bare("extract", "latest", "--into", target.string, environment: command)
            #expect(extracted.status == .exited(0), "\(extracted.errors)")
            #expect(extracted.errors.contains("this host has not confirmed any archive here: latest is the newest one"))
            #expect(try host.contents(of: target) == contents)
            #expect(try FileSystem.names(in: host.temporary).isEmpty)
            #expect(access(host.scratch.appending("borg-home/.config/borg/security").string, F_OK) != 0)
            #expect(access(host.staging.string, F_OK) != 0)
        }
    }

    @Test("is opened by a copy of its key, which is imported nowhere", arguments: BorgUnderTest.allCases)
    func keyFile(version: BorgUnderTest) async throws {
        try await TestHost.withFiles(version, hasRepository: false) { host in
            let key = host.scratch.appending("key")
            host.job.initialize = "keyfile-blake2"
            host.job.repositoryLines.append("    key_export: \(key)")
            try await host.mustSucceed("run")
            try host.becomeNew()
            let passphrase = ["--passphrase-file", "\(host.scratch)/passphrase"]
            let refused = try await host.bare("list", arguments: passphrase)
            #expect(refused.status == .exited(4))
            #expect(
                refused.errors.contains(
                    "the key of repository '\(host.repository)' is missing or belongs to another one"),
                "\(refused.errors)")
            #expect(refused.errors.contains("Name the copy of the key: --key-file FILE."), "\(refused.errors)")
            let listed = try await host.bare("list", "latest", "--key-file", key.string, arguments: passphrase)
            #expect(listed.status == .exited(0) && listed.output.contains("dump app"), "\(listed.errors)")
            let keys = host.scratch.appending("borg-home/.config/borg/keys")
            #expect((try? FileSystem.names(in: keys))?.isEmpty ?? true)
            let wrong = try await host.bare("list", "--key-file", "/etc/hostname", arguments: passphrase)
            #expect(wrong.status == .exited(64) && wrong.errors.contains("/etc/hostname is not a copy of a key"))
        }
    }

    @Test("is accepted without a question where it lies and as it is, and the job that it belongs to notices nothing")
    func moved() async throws {
        try await TestHost.withFiles(hasRepository: false) { host in
            // The job's text has a passphrase, which a repository without encryption must not have.
            let made = try await host.borg("init", "--encryption", "none")
            try #require(made.status == .exited(0), "\(made.errors)")
            host.job.initialize = nil
            host.job.repositoryLines.append("    encryption: none")
            host.environment["BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK"] = "yes"
            try await host.mustSucceed("run")
            host.environment["BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK"] = nil
            let copy = host.scratch.appending("copy")
            let copied = try await host.command("/bin/cp", "-a", host.repository.string, copy.string)
            #expect(copied.status == .exited(0))
            let listed = try await host.command(
                musterExecutable, "list", "latest", "--repository-location", copy.string)
            #expect(listed.status == .exited(0) && listed.output.contains("dump app"), "\(listed.errors)")
            try await host.mustSucceed("run")
            #expect(try await host.archiveNames().count == 2)
        }
    }

    @Test("has no latest archive where several jobs have archived, and names them")
    func severalJobs() async throws {
        try await TestHost.withFiles { host in
            try await host.mustSucceed("run")
            host.job.lines.append("host: web2")
            host.job.staging += "-2"
            try await host.mustSucceed("run")
            let variable = ["BORG_PASSPHRASE": "correct horse battery staple"]
            let refused = try await host.bare("list", "latest", environment: variable)
            #expect(refused.status == .exited(4))
            #expect(
                refused.errors.contains("holds archives of 2 jobs: latest could be of any of them"), "\(refused.errors)"
            )
            #expect(
                refused.errors.contains("    job nightly on web2: 1, the newest web2-nightly-"), "\(refused.errors)")
            let named = try await host.bare("list", "web2-nightly-", environment: variable)
            #expect(named.output.contains("of job nightly on web2"), "\(named.errors)")
            let typo = try await host.bare("list", "web3-nightly-", environment: variable)
            #expect(typo.errors.contains("has no archive 'web3-nightly-'"), "\(typo.errors)")
        }
    }

    @Test("holds an archive that is not what was sealed: it ends with 5, and the hint needs no job")
    func damaged() async throws {
        try await TestHost.withFiles { host in
            try await host.mustSucceed("run")
            let name = try await host.newestArchive()
            let damaged = try await host.damagedArchive(like: name, host.comment(of: name)) { set in
                try write("deer\n", to: set.appending("app/tree/letter"))
            }
            let variable = ["BORG_PASSPHRASE": "correct horse battery staple"]
            let target = host.scratch.appending("restored")
            let refused = try await host.bare("extract", damaged, "--into", target.string, environment: variable)
            #expect(refused.status == .exited(5), "\(refused.errors)")
            #expect(refused.errors.contains("app/tree/letter: changed, its SHA-256 is "), "\(refused.errors)")
            #expect(refused.errors.contains("BORG_REPO=\(host.repository) borg check"), "\(refused.errors)")
            #expect(access("\(target).unverified", F_OK) == 0 && access(target.string, F_OK) != 0)
        }
    }

    @Test("asks for the passphrase on a terminal, which does not show it, and says where else it may be")
    func terminal() async throws {
        try await TestHost.withFiles { host in
            try await host.mustSucceed("run")
            let program = """
                import os, pty, sys
                pid, terminal = pty.fork()
                if pid == 0: os.execv(sys.argv[2], sys.argv[2:])
                text = b""
                while not text.endswith(b"none): "): text += os.read(terminal, 1024)
                os.write(terminal, sys.argv[1].encode() + b"\\n")
                try:
                    while piece := os.read(terminal, 1024): text += piece
                except OSError: pass
                sys.stdout.write(text.decode())
                sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
                """
            let words = [musterExecutable.string, "list", "--repository-location", host.repository.string]
            let listed = try await host.command(
                "/usr/bin/python3", "-c", program, "correct horse battery staple", arguments: words)
            #expect(listed.status == .exited(0), "\(listed.output)\(listed.errors)")
            #expect(listed.output.contains("Passphrase of \(host.repository) (empty if it has none): "))
            #expect(listed.output.contains("1 archive") && !listed.output.contains("horse"), "\(listed.output)")
            let wrong = try await host.command("/usr/bin/python3", "-c", program, "wrong", arguments: words)
            #expect(wrong.status == .exited(4))
            #expect(wrong.output.contains("Give it with --passphrase-file FILE, in BORG_PASSPHRASE"), "\(wrong.output)")
            // Without a terminal there is no question to wait for.
            let unasked = try await host.bare("list")
            #expect(unasked.status == .exited(4) && unasked.errors.contains("Give it with"), "\(unasked.errors)")
        }
    }

    @Test("goes without a job, and its options go with it alone")
    func usage() async throws {
        try await TestHost.withFiles { host in
            for (arguments, expected) in [
                (
                    ["list", "--repository-location", "/x", "--job", "nightly"],
                    "--repository-location goes without a job"
                ),
                (["list", "--key-file", "/x"], "--key-file goes with --repository-location only"),
                (
                    ["list", "--repository-location", "/x", "--ssh-key", "/y"],
                    "--ssh-key goes with a repository on a server only"
                ),
                (["list", "--repository-location", "/x::a"], "--repository-location must not name an archive (::)"),
            ] {
                let refused = try await host.command(
                    musterExecutable, arguments[0], arguments: Array(arguments.dropFirst()))
                #expect(refused.status == .exited(64), "\(refused.errors)")
                #expect(refused.errors.contains(expected), "\(refused.errors)")
            }
            let gone = try await host.command(
                musterExecutable, "list", "--repository-location", "\(host.scratch)/nothing")
            #expect(gone.status == .exited(4))
            #expect(
                gone.errors.contains("Check --repository-location, and that its disk is mounted."), "\(gone.errors)")
        }
    }
}

extension TestHost {
    fileprivate var temporary: FilePath { scratch.appending("temporary") }

    /// Forgets all that an earlier run left here, and has the job's Borg under its usual name.
    fileprivate func becomeNew() throws {
        try FileTree(staging).remove()
        try FileTree(scratch.appending("borg-home")).remove()
        try FileSystem.removeFile(jobFile)
        if job.borg != "borg" { try fake("borg", "exec \(job.borg) \"$@\"") }
    }

    /// A command on the repository by its location alone.
    fileprivate func bare(
        _ words: String..., arguments: [String] = [], environment: [String: String] = [:]
    ) async throws -> Command.Result {
        if access(temporary.string, F_OK) != 0 { try FileSystem.createDirectory(temporary) }
        return try await command(
            musterExecutable, words[0],
            arguments: words.dropFirst() + arguments + ["--repository-location", repository.string],
            environment: environment.merging(["TMPDIR": temporary.string]) { $1 })
    }
}
