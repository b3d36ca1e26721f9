import Borg
import DumpCore
import Logging
import Processes
import TestSupport
import Testing

@Suite("Settings of a repository")
struct RepositorySettingsTests {
    private static let notUnderstood =
        "must be an absolute path or name a host\n  hint: Write /path, user@host:path or ssh://user@host/path."

    @Test(
        "What cannot be a location is refused, and a password in it is not repeated",
        arguments: [
            ("host:repo::archive", "must not name an archive (::)\n  hint: Muster names the archives itself."),
            (
                "ssh://me:hunter2@host/repo",
                "a password is never written in a job file\n  hint: Borg logs in with SSH keys; leave the password out."
            ),
            (
                "me:hunter2@host:repo",
                "a password is never written in a job file\n  hint: Borg logs in with SSH keys; leave the password out."
            ),
            (
                // To Swift, a mark and the character before it are one.
                "me:\u{301}hunter2@\u{301}host:repo",
                "a password is never written in a job file\n  hint: Borg logs in with SSH keys; leave the password out."
            ),
            ("repo", notUnderstood),
            ("~/repo", notUnderstood),
            ("-oProxyCommand=x:repo", "must not begin with '-'"),
            ("ssh://-oProxyCommand=x/repo", "must not begin with '-'"),
            ("sftp://host/repo", notUnderstood),
            ("ssh://me:hunt/er2@host/repo", notUnderstood), ("ssh:///repo", notUnderstood),
            ("file://repo", notUnderstood), (":repo", notUnderstood), ("", "must not be empty"),
        ])
    func locations(location: String, message: String) {
        #expect(
            mistakes(in: repository("location: \"\(location)\""))
                == "nightly.yaml:6:15: repositories.offsite.location: \(message)")
    }

    @Test(
        "What Borg takes as a location is a location",
        arguments: [
            "/mnt/repo", "file:///mnt/repo", "host:repo", "me@host:~/repo", "ssh://me@host:2222/./repo",
            "me@[::1]:repo",
            "ssh://[2001:db8::1]/repo",
        ])
    func goodLocations(location: String) throws {
        #expect(try job(repository("location: \"\(location)\"")).repositories[0].settings.location == location)
    }

    @Test("An encryption needs a passphrase, and none has none", arguments: RepositorySettings.Encryption.allCases)
    func encryption(mode: RepositorySettings.Encryption) {
        let alone = mistakes(in: repository("location: host:repo\ninitialize: \(mode.rawValue)"))
        let both = mistakes(in: repository("location: host:repo\npassphrase: {file: /x}\ninitialize: \(mode.rawValue)"))
        let missing = """
            nightly.yaml:7:17: repositories.offsite.initialize: \(mode.rawValue) needs a passphrase
              hint: Write passphrase: {file: /path/to/it} beside it, or {command: …} or {credential: NAME}.
            """
        let useless = """
            nightly.yaml:8:17: repositories.offsite.initialize: a repository without encryption has no passphrase
              hint: Leave 'passphrase' out, or choose an encryption such as repokey-blake2.
            """
        #expect(alone == (mode == .none ? "" : missing))
        #expect(both == (mode == .none ? useless : ""))
    }

    @Test(
        "An option that Muster gives itself, or that would leave something out, is refused",
        arguments: [
            ("--compression=lz4", "--compression has a key of its own in the job file"),
            ("--json", "--json is set by Muster"),
            ("--exclude=x", "--exclude would leave part of the set out of the archive"),
            ("--dry-run", "--dry-run would leave part of the set out of the archive"),
            ("-n", "expected an option, found '-n'\n  hint: Write --name or --name=value."),
            ("/etc", "expected an option, found '/etc'\n  hint: Write --name or --name=value."),
        ])
    func extraArguments(argument: String, message: String) {
        #expect(
            mistakes(in: repository("location: host:repo\nextra_args: [\(argument)]"))
                == "nightly.yaml:7:18: repositories.offsite.extra_args[0]: \(message)")
    }

    @Test("How archives are created is read, and what cannot be is refused")
    func creation() throws {
        let text =
            "location: host:repo\nchunker_params: \"buzhash,15,19,17,4095\"\nupload_ratelimit: 500\nextra_args: [--noatime]"
        let creation = try job(repository(text)).repositories[0].settings.creation
        #expect(creation.chunkerParams == "buzhash,15,19,17,4095")
        #expect(creation.uploadRateLimit == 500)
        #expect(creation.extraArguments == ["--noatime"])
        #expect(mistakes(in: repository("location: host:repo\nchunker_params: small")).contains("chunker parameters"))
        #expect(mistakes(in: repository("location: host:repo\nupload_ratelimit: 0")).contains("from 1 to"))
        let export = "location: host:repo\ninitialize: none\nkey_export: /root/key"
        #expect(mistakes(in: repository(export)).contains("has no key to export"))
    }

    @Test("A passphrase that is wrong itself is not reported as missing")
    func oneMistakeIsReportedOnce() {
        #expect(
            mistakes(in: repository("location: host:repo\ninitialize: repokey\npassphrase: hunter2")) == """
                nightly.yaml:8:17: repositories.offsite.passphrase: a secret is never written in a job file
                  hint: Write {file: /path/to/it}, {command: …} or {credential: NAME}.
                """)
        #expect(
            mistakes(in: repository("location: host:repo\ninitialize: repokey\npassphrase: *x")) == """
                nightly.yaml:8:17: aliases (*) are not allowed
                  hint: Write the value out; put text that begins with * in quotes.
                """)
    }

    @Test(
        "Other impossible values are refused",
        arguments: [
            ("borg: bin/borg", "borg: must be a name without '/', or an absolute path"),
            ("borg: -x", "borg: must not begin with '-'"), ("remote_path: ''", "remote_path: must not be empty"),
            ("lock_wait: 500ms", "lock_wait: must be whole seconds"),
        ])
    func impossible(line: String, message: String) {
        let column = 5 + line.prefix { $0 != " " }.count + 1
        #expect(
            mistakes(in: repository("location: host:repo\n\(line)"))
                == "nightly.yaml:7:\(column): repositories.offsite.\(message)")
    }

    @Test("What to keep, and when to check, are read as Borg has them")
    func keeping() throws {
        let settings = try job(
            repository(
                """
                location: host:repo
                keep: {last: 2, hourly: 24, daily: 7, weekly: 4, monthly: 6, yearly: -1, within: 6m}
                check: {every: 1w, verify_data: 30d, max_duration: 1h}
                """)
        ).repositories[0].settings
        let keep = try #require(settings.keep)
        let counts = Retention.Rule.allCases.map { keep[$0] }
        #expect(counts == [2, nil, nil, 24, 7, 4, 6, -1])
        #expect(keep.within == Retention.Span("6m"))
        #expect(settings.check?.every == .seconds(7 * 86400))
        #expect(settings.check?.verifyData == .seconds(30 * 86400))
        #expect(settings.check?.maxDuration == .seconds(3600))
    }

    @Test(
        "What would keep nothing, or check nothing, is refused",
        arguments: [
            (
                "keep: {}",
                "keep: keeps nothing: every archive would go\n  hint: Write what to keep, such as daily: 7."
            ),
            (
                "keep: {daily: null}",
                "keep: keeps nothing: every archive would go\n  hint: Write what to keep, such as daily: 7."
            ),
            ("check: {}", "check: checks nothing\n  hint: Write how often, such as every: 7d."),
        ])
    func nothing(line: String, message: String) {
        let column = 5 + line.prefix { $0 != " " }.count + 1
        #expect(
            mistakes(in: repository("location: host:repo\n\(line)"))
                == "nightly.yaml:7:\(column): repositories.offsite.\(message)")
    }

    @Test(
        "Impossible values in them are refused where they stand",
        arguments: [
            ("keep: {daily: 0}", "keep.daily: must not be 0"),
            ("keep: {daily: -2}", "keep.daily: expected a whole number"),
            ("keep: {dayly: 7}", "unknown key 'dayly' in repositories.offsite.keep; did you mean 'daily'?"),
            ("keep: {within: 14}", "keep.within: expected a span such as 36H, 14d, 2w, 6m or 1y, found '14'"),
            ("keep: {within: 1h}", "keep.within: expected a span such as 36H, 14d, 2w, 6m or 1y, found '1h'"),
            ("check: {max_duration: 1h}", "check.max_duration: needs 'every'"),
            ("check: {verify_data: 30d, max_duration: 1h}", "check.max_duration: needs 'every'"),
            ("check: {every: 0}", "check.every: must be at least 1m, found 0s"),
        ])
    func impossibleKeeping(line: String, message: String) {
        let found = mistakes(in: repository("location: host:repo\n\(line)"))
        #expect(found.contains(message), "\(found)")
    }

    @Test(
        "What is said of ssh fits a repository on a server, and ssh",
        arguments: [
            (
                "/srv/repo", "{}",
                "the repository is a directory of this host: ssh has nothing to do with it\n  hint: Leave 'ssh' out, or write the location as user@host:path or ssh://user@host/path."
            ),
            (
                "ssh://me@host:22/repo", "{port: 22}",
                "the port is in 'location' too\n  hint: Leave one of them out."
            ),
        ])
    func ssh(location: String, block: String, message: String) {
        #expect(
            mistakes(in: repository("location: \"\(location)\"\nssh: \(block)")).contains(message),
            "\(mistakes(in: repository("location: \"\(location)\"\nssh: \(block)")))")
    }

    @Test(
        "Impossible values within ssh are refused",
        arguments: [
            "{identity_file: key}", "{identity_file: /k%h}", "{known_hosts: /k$x}", "{port: 0}",
            "{options: [BatchMode]}",
            "{options: [-v]}", "{key: /x}",
        ])
    func impossibleSSH(block: String) {
        #expect(mistakes(in: repository("location: host:repo\nssh: \(block)")).contains("offsite.ssh"))
    }

    @Test("All of ssh, the retries and the patience are read")
    func remote() throws {
        let settings = try job(
            repository(
                """
                location: me@host:repo
                ssh: {identity_file: /run/key, port: 2222, known_hosts: /etc/known, options: [Compression=yes]}
                retry: {times: 5}
                lock_wait: 1m
                stall_timeout: 2m
                """)
        ).repositories[0].settings
        var ssh = SSHSettings()
        (ssh.identityFile, ssh.port, ssh.knownHosts, ssh.options) = (
            "/run/key", 2222, "/etc/known", ["Compression=yes"]
        )
        #expect(settings.ssh == ssh)
        #expect(settings.retry == Retry(times: 5, wait: .seconds(30)))
        #expect(settings.stallTimeout == .seconds(120))
    }

    @Test("A Borg that waits for a lock must not count as one that stands still")
    func stallTimeout() {
        #expect(
            mistakes(in: repository("location: host:repo\nstall_timeout: 10m")) == """
                nightly.yaml:7:20: repositories.offsite.stall_timeout: stall_timeout must be longer than lock_wait: Borg prints nothing while it waits for a lock
                  hint: stall_timeout is 10m, lock_wait is 10m.
                """)
        #expect(mistakes(in: repository("location: host:repo\nstall_timeout: none")).isEmpty)
    }

    @Test(
        "A compression is accepted if, and only if, Borg accepts it",
        arguments: [
            "none", "lz4", "lz4,5", "zlib,0", "lzma,9", "zlib,10", "zstd,22", "zstd,23", "zstd,0", "auto",
            "auto,zstd,7",
            "auto,zstd,7,1", "obfuscate,3,auto,lzma", "obfuscate,7,none", "obfuscate,3", "ZSTD", "zstd;3",
        ])
    func compression(text: String) async throws {
        let runner = ProgramRunner(
            keeper: keeperExecutable, log: Logger.silent)
        // Borg looks at its arguments first, then finds no repository.
        let borg = Program(
            try Executables.find("borg"), ["create", "--compression", text, "/nonexistent::archive", "/nonexistent"])
        let outcome = try await runner.run(borg)
        let isKnownToBorg = outcome.lastErrorLines.contains { $0.contains("does not exist") }
        #expect(isKnownToBorg != outcome.lastErrorLines.contains { $0.contains("--compression") })
        #expect(mistakes(in: repository("location: host:repo\ncompression: \"\(text)\"")).isEmpty == isKnownToBorg)
    }
}
