import DumpCore
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
            let empty = host.borg.scratch.appending("empty")
            try makeDirectory(empty)

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
            #expect(try await attempt { $0.location = empty.string } == .notARepository)
            #expect(try await attempt { $0.location = "nobody@host.invalid:repository" } == .connectionLost)
            try await host.whileLocked {
                let code = try await attempt()
                #expect(code == .locked)
            }
            #expect(Set(try read(verbs).split(separator: "\n")) == ["--version", "list"])
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
