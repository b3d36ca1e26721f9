import DumpCore
import Glibc
import Processes
import SystemPackage
import TestSupport
import Testing

@testable import Borg

@Suite("Repositories")
struct RepositoryTests {
    @Test("A missing repository is announced, then created, then left as it is", arguments: BorgUnderTest.allCases)
    func created(version: BorgUnderTest) async throws {
        try await Host.with(version) { host in
            let repository = host.repository { $0.initialize = .repokeyBlake2 }
            let findings = try await repository.prepare().findings
            #expect(
                findings == [
                    Finding(
                        .note, "repository_missing", object: "offsite",
                        "does not exist and will be created, encryption repokey-blake2")
                ])
            #expect(try await repository.initializeIfMissing())
            #expect(try await !repository.initializeIfMissing())
            #expect(try await repository.prepare().findings == [])
            #expect(try await host.archives() == [])
        }
    }

    @Test("A missing repository that is not to be created is an error", arguments: BorgUnderTest.allCases)
    func missing(version: BorgUnderTest) async throws {
        try await Host.with(version) { host in
            let repository = host.repository()
            let text = """
                repository 'offsite' does not exist
                  location: \(host.borg.repository)
                  hint: Check its location, or set initialize: to have it created.
                """
            #expect(try await borgError { _ = try await repository.prepare() }?.description == text)
            #expect(try await borgError { _ = try await repository.initializeIfMissing() }?.description == text)
            let set = try host.seal()
            let error = try await borgError { _ = try await repository.create(set, at: Host.time) }
            #expect(error?.code == .repositoryMissing)
            #expect(error?.context["archive"] == Host.archiveName)
        }
    }

    @Test("No failure but a missing repository leads to its creation", arguments: BorgUnderTest.allCases)
    func neverCreatedByMistake(version: BorgUnderTest) async throws {
        try await Host.withRepository(version) { host in
            let verbs = host.borg.scratch.appending("verbs")
            let fake = try host.borg.fakeBorg("echo $VERB >> \(verbs)")
            let other = host.borg.scratch.appending("other")
            try makeDirectory(other)
            try write("", to: other.appending("file"))

            func attempt(
                passphrase: String? = nil, _ change: (inout RepositorySettings) -> Void = { _ in }
            ) async throws -> BorgError.Code? {
                let repository = host.repository(program: fake, passphrase: passphrase) {
                    $0.initialize = .repokeyBlake2
                    change(&$0)
                }
                return try await borgError { _ = try await repository.initializeIfMissing() }?.code
            }
            #expect(try await attempt(passphrase: "wrong") == .passphraseWrong)
            #expect(try await attempt { $0.location = other.string } == .notARepository)
            #expect(try await attempt { $0.location = "nobody@host.invalid:repository" } == .connectionLost)
            try await host.whileLocked {
                let code = try await attempt()
                #expect(code == .locked)
            }
            #expect(Set(try read(verbs).split(separator: "\n")) == ["--version", "list"])
        }
    }

    @Test("A repository is created in an empty directory that was made for it", arguments: BorgUnderTest.allCases)
    func emptyDirectory(version: BorgUnderTest) async throws {
        try await Host.with(version) { host in
            try makeDirectory(host.borg.repository)
            let repository = host.repository { $0.initialize = .repokeyBlake2 }
            #expect(try await repository.prepare().findings.map(\.code) == ["repository_missing"])
            // Archives of ours were in it: its disk is away, and what is left is where it was mounted.
            let error = try await borgError { _ = try await repository.prepare(knowsArchives: true) }
            #expect(error?.message == "repository 'offsite' is gone: archives of this job were in it")
            #expect(try await repository.initializeIfMissing())
            #expect(try await repository.prepare().id?.count == 64)
        }
    }

    @Test("A repository whose directory is missing is not said to be ready", arguments: BorgUnderTest.allCases)
    func parentMissing(version: BorgUnderTest) async throws {
        try await Host.with(version) { host in
            let location = host.borg.scratch.appending("missing").appending("repository").string
            let repository = host.repository {
                $0.location = location
                $0.initialize = .repokeyBlake2
            }
            let text = """
                repository 'offsite' cannot be created: its parent directory does not exist
                  location: \(location)
                  hint: Check its location and that its disk is mounted, or create the directory.
                """
            let check = try await borgError { _ = try await repository.prepare() }
            #expect(check?.description == text)
            let run = try await borgError { _ = try await repository.initializeIfMissing() }
            let words = "  borg: \(run?.context["borg"] ?? "")\n"
            #expect(run?.description.replacing(words, with: "") == text)
        }
    }

    @Test(
        "Half a repository is to be removed only if it holds no data, and never if archives were in it",
        arguments: BorgUnderTest.allCases)
    func half(version: BorgUnderTest) async throws {
        try await Host.withRepository(version) { host in
            let (whole, half) = (host.borg.repository, host.borg.scratch.appending("half"))
            try write("", to: whole.appending("config"))
            func error(knowing knowsArchives: Bool, at place: FilePath) async throws -> String? {
                let repository = host.repository {
                    $0.initialize = .repokeyBlake2
                    $0.location = place.string
                }
                return try await borgError { _ = try await repository.prepare(knowsArchives: knowsArchives) }
                    .map { $0.message + "\n" + ($0.hint ?? "") }
            }
            #expect(
                try await error(knowing: false, at: whole) == """
                    what is at the location of repository 'offsite' is not a repository that Borg can open
                    Check the location, and that its disk is mounted and whole. Move nothing away before you know that no archives are in it.
                    """)
            #expect(
                try await error(knowing: true, at: whole) == """
                    what is at the location of repository 'offsite' is not a repository that Borg can open: archives of this job were in it
                    Is its disk mounted, and whole? Leave everything that is there as it is, and find out what happened to it.
                    """)
            for directory in [half, half.appending("data")] { try makeDirectory(directory) }
            for name in ["README", "config"] { try write("", to: half.appending(name)) }
            #expect(
                try await error(knowing: false, at: half) == """
                    the creation of repository 'offsite' was cut off, and left half a repository
                    It holds no data. Remove it, and the next run creates it: rm -r \(half)
                    """)
            #expect(try await error(knowing: true, at: half)?.contains("rm -r") == false)
        }
    }

    @Test("Borg's own files are looked at before a repository is created, which would be left half made")
    func ownFiles() async throws {
        try await Host.with(.oldstable) { host in
            let home = host.borg.scratch.appending("home")
            try makeDirectory(home)
            try await withMemoryFileSystem(kibibytes: 64, at: home) {
                try await output("mount", "-o", "remount,ro", home.string)
                var settings = host.repository().settings
                settings.initialize = .repokeyBlake2
                let repository = BorgRepository(
                    name: "offsite", settings: settings, passphrase: Secret(host.borg.passphrase),
                    environment: ["BORG_BASE_DIR": home.string, "BORG_SELFTEST": "disabled"], runner: host.runner,
                    log: Host.log)
                let text = """
                    Borg's own files on this host are on a read-only file system
                      location: \(settings.location)
                      reason: \(home)/.config/borg/security: Read-only file system
                      hint: Let Borg write to \(home)/.config/borg/security, or set BORG_BASE_DIR to a directory where it may.
                    """
                #expect(try await borgError { _ = try await repository.prepare() }?.description == text)
                #expect(access(host.borg.repository.string, F_OK) != 0)
            }
        }
    }

    @Test("A repository with a key is not created without a passphrase")
    func noPassphrase() async throws {
        try await Host.with(.stable) { host in
            var settings = host.repository().settings
            settings.initialize = .keyfile
            let repository = BorgRepository(
                name: "offsite", settings: settings, passphrase: nil, environment: host.borg.environment,
                runner: host.runner, log: Host.log)
            let error = try await borgError { _ = try await repository.prepare() }
            #expect(
                error?.description == """
                    repository 'offsite' cannot be created with keyfile: it has no passphrase
                      hint: Set passphrase: to where one is kept, or initialize: to none.
                    """)
        }
    }

    @Test(
        "A repository without encryption is created without a passphrase, and used", arguments: BorgUnderTest.allCases)
    func unencrypted(version: BorgUnderTest) async throws {
        try await Host.with(version) { host in
            var settings = host.repository().settings
            settings.initialize = RepositorySettings.Encryption.none
            let repository = BorgRepository(
                name: "offsite", settings: settings, passphrase: nil, environment: host.borg.environment,
                runner: host.runner, log: Host.log)
            #expect(try await repository.initializeIfMissing())
            let set = try host.seal()
            let confirmed = try await repository.create(set)
            #expect(try await repository.archives() == [confirmed.archive])
        }
    }

    @Test("A lock is worth a warning in prepare, since it may be gone by then", arguments: BorgUnderTest.allCases)
    func lockedInPrepare(version: BorgUnderTest) async throws {
        try await Host.withRepository(version) { host in
            try await host.whileLocked {
                let findings = try await host.repository().prepare().findings
                #expect(
                    findings == [
                        Finding(
                            .warning, "repository_locked", object: "offsite",
                            "repository 'offsite' is locked by another Borg, which may last",
                            hint: "An archive waits 1 s for it.")
                    ])
            }
        }
    }

    @Test(
        "A Borg that is too old, too new, or no Borg at all is found in prepare",
        arguments: [
            ("echo borg 1.1.18", "is Borg 1.1.18, which is too old"),
            ("echo borg 3.0.0", "is Borg 3.0.0, which is not supported yet"),
            ("echo borg 1.4.5; exit 1", "is not Borg, or does not run: its --version exited with status 1"),
            ("echo hello", "is not Borg, or does not run: its --version exited with status 0"),
        ])
    func unsuitable(script: String, message: String) async throws {
        try await Host.with(.stable) { host in
            let fake = host.borg.scratch.appending("borg")
            try write("#!/bin/sh\n\(script)\n", to: fake, mode: [.ownerReadWriteExecute])
            let error = try await borgError { _ = try await host.repository(program: fake).prepare() }
            #expect(error?.code == .programUnsuitable)
            #expect(error?.message == "\(fake) \(message)")
        }
    }

    @Test("A Borg that is not there is found in prepare")
    func noProgram() async throws {
        try await Host.with(.stable) { host in
            let error = try await borgError { _ = try await host.repository(program: "/no/borg").prepare() }
            #expect(error?.code == .programUnsuitable)
            #expect(error?.message == "/no/borg is not an executable file")
        }
    }

    @Test("Nothing in our environment can change what Borg does, or hold its secret")
    func inheritedVariables() {
        let withheld = [
            "BORG_REPO", "BORG_PASSPHRASE", "BORG_PASSPHRASE_FD", "BORG_PASSCOMMAND", "BORG_NEW_PASSPHRASE",
            "BORG_LOGGING_CONF", "BORG_EXIT_CODES", "BORG_DISPLAY_PASSPHRASE", "BORG_JSON_INDENT",
        ]
        for name in withheld {
            #expect(!BorgEnvironment.inherited.contains { name.hasPrefix($0) }, "\(name)")
        }
    }

    @Test(
        "A place for Borg's own files that is no whole path is refused: Borg would make it in the set that it archives",
        arguments: ["HOME", "BORG_BASE_DIR", "BORG_CACHE_DIR", "XDG_CONFIG_HOME", "BORG_KEY_FILE"])
    func relativePlaces(name: String) async throws {
        let repository = BorgRepository(
            name: "local", settings: RepositorySettings(), passphrase: Secret("x"), environment: [name: "~/.borg"],
            runner: ProgramRunner(keeper: keeperExecutable, log: .silent), log: .silent)
        let error = try await borgError { _ = try await repository.version() }
        #expect(error?.message == "\(name) is '~/.borg', which is not a path from / on")
        let nothing = BorgEnvironment(location: "x", remotePath: nil, passphrase: nil, extra: [name: ""])
        #expect(nothing.variable(name) == nil)
        try nothing.requireWholePaths()
    }

    @Test("The command for the other side reaches Borg, and a variable given for this repository counts most")
    func variables() {
        let environment = BorgEnvironment(
            location: "me@backup.example:x", remotePath: "borg14", passphrase: nil,
            extra: ["TZ": "Asia/Tokyo", "BORG_RSH": "ssh -p 2222"])
        let program = environment.program("/usr/bin/borg", ["list"])
        #expect(program.environment["BORG_REPO"] == "me@backup.example:x")
        #expect(program.environment["BORG_REMOTE_PATH"] == "borg14")
        #expect(program.environment["BORG_RSH"] == "ssh -p 2222")
        #expect(program.environment["TZ"] == "Asia/Tokyo")
    }
}
