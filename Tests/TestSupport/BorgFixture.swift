import DumpCore
import Glibc
import Linux
import Logging
import Processes
import SystemPackage
import Testing

/// The Borgs that everything is tested with, by Borg's own words for its series.
public enum BorgUnderTest: String, Sendable, CaseIterable, CustomTestStringConvertible {
    /// Debian 12's.
    case oldstable = "1.2"
    case stable = "1.4"
    /// Not in `allCases`: tests say what of it they cover.
    case beta = "2.0"

    public static let allCases = [oldstable, stable]

    public var testDescription: String { "Borg \(rawValue)" }

    public var program: FilePath {
        switch self {
        case .oldstable: "/usr/bin/borg"
        case .stable: installed("1.4.5")
        case .beta: installed("2.0.0b22")
        }
    }

    /// By `.ci/borg`.
    private func installed(_ version: String) -> FilePath {
        let home = variable("MUSTER_TEST_BORGS") ?? "\(variable("HOME") ?? "/root")/.cache/muster-tests"
        return FilePath(home).appending("borg-\(version)").appending("bin/borg")
    }

    private func variable(_ name: String) -> String? { getenv(name).map { String(cString: $0) } }
}

/// A place for one test's repository, and Borg to look into it with: nothing of this machine's own Borg is touched.
public struct BorgFixture: Sendable {
    let version: BorgUnderTest
    public let scratch: FilePath
    /// Borg, without its start.
    public private(set) var program: FilePath
    /// The real one, as a process of its caller's.
    public let realProgram: FilePath
    public fileprivate(set) var passphrase = "correct-horse-\(getpid())"

    public var repository: FilePath { scratch.appending("repository") }

    /// Borg keeps its caches and what it knows of repositories here. Its test of itself takes a quarter of each start, of which there are
    /// thousands. It is started as usual, and not served, without the exit codes that Muster asks for.
    public var environment: [String: String] {
        [
            "BORG_BASE_DIR": scratch.appending("borg-base").string, "BORG_SELFTEST": "disabled",
            "BORG_EXIT_CODES": "modern",
        ]
    }

    public static func with<Result>(
        _ borg: BorgUnderTest, _ body: (BorgFixture) async throws -> Result
    ) async throws -> Result {
        guard Executables.isExecutable(borg.program) else {
            throw MissingBorg(
                description: "Borg \(borg.rawValue) is not at \(borg.program): run .ci/borg, or install borgbackup")
        }
        return try await Turn.take {
            let program = try await borg.warm
            return try await withScratch {
                try await body(BorgFixture(version: borg, scratch: $0, program: program, realProgram: borg.program))
            }
        }
    }

    /// Makes a repository that holds an archive of somebody else's, `foreign`.
    public func makeRepository() async throws {
        try await Self.repositories[version]!.copy("repository", to: repository)
    }

    private static let repositories = Dictionary(
        uniqueKeysWithValues: BorgUnderTest.allCases.map { borg in
            (
                borg,
                Template.repository(of: borg) { try await $0.borg(["create", "::foreign", "/etc/hostname"]) }
            )
        })

    /// Runs the real Borg on the repository and returns what it writes. A bad status fails the test.
    @discardableResult
    public func borg(
        _ arguments: [String], in directory: FilePath = "/", sourceLocation: SourceLocation = #_sourceLocation
    ) async throws -> String {
        let log = Logger.silent
        let variables = ["BORG_REPO": repository.string, "TZ": "UTC"].merging(environment) { $1 }
        let outcome = try await ProgramRunner(keeper: keeperExecutable, log: log).run(
            Program(
                program, arguments, environment: variables, workingDirectory: directory,
                secrets: [.descriptor(namedBy: "BORG_PASSPHRASE_FD", Secret(passphrase))], grace: .seconds(60)),
            output: .collect(limit: 16 << 20))
        #expect(outcome.succeeded, "\(outcome.lastErrors)", sourceLocation: sourceLocation)
        return String(decoding: outcome.output, as: UTF8.self)
    }

    /// Archives and checkpoints.
    public func archiveNames() async throws -> [String] {
        try await borg(["list", "--short", "--consider-checkpoints"]).split(separator: "\n").map(String.init)
    }

    /// A fake borg: a shell script in which `$BORG` is the real one and `$VERB` the verb. It goes on with the real Borg where
    /// the script ends without another exit.
    public func fakeBorg(_ script: String) throws -> FilePath {
        let fake = scratch.appending("fake-borg")
        let text = """
            #!/bin/bash
            BORG=\(program)
            VERB=--version
            for word in "$@"; do
                case $word in create|list|extract|delete|init|repo-create|repo-list|compact|check) VERB=$word; break ;; esac
            done
            \(script)
            exec $BORG "$@"
            """
        try write(text, to: fake, mode: [.ownerReadWriteExecute])
        return fake
    }
}

extension Template {
    /// A repository in `repository`, made by this Borg.
    ///
    /// - Parameters:
    ///   - passphrase: of its key, which is derived from it in one round in place of 100,000: each Borg that is started does that.
    ///   - fill: puts something into it.
    static func repository(
        of borg: BorgUnderTest, passphrase: String? = nil,
        filledBy fill: @escaping @Sendable (BorgFixture) async throws -> Void = { _ in }
    ) -> Template {
        Template { directory in
            var fixture = BorgFixture(
                version: borg, scratch: directory, program: try await borg.warm, realProgram: borg.program)
            if let passphrase { fixture.passphrase = passphrase }
            try await fixture.initialize()
            try await fill(fixture)
        }
    }
}

extension BorgFixture {
    /// As `borg init`, by the same Python.
    fileprivate func initialize() async throws {
        let program = """
            import sys, borg.constants
            borg.constants.PBKDF2_ITERATIONS = 1
            from borg.archiver import main
            main()
            """
        var python = self
        python.program = try version.python
        try await python.borg(["-c", program, "init", "--encryption", "repokey-blake2"])
    }
}

private struct MissingBorg: Error, CustomStringConvertible {
    var description: String
}
