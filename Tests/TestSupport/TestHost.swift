import Glibc
import Linux
import SystemPackage
import Testing

/// A whole host for one test. It has a PostgreSQL server or a directory to dump, a Borg, a job file, and the muster executable to run it
/// with.
///
/// Everything is in one scratch directory and is gone at the end of `with`. Unless the test says otherwise, the job is `nightly`, its dump
/// `app`, and its repository `local`. The server's databases `shop` and `library` hold a few rows.
public struct TestHost: Sendable {
    public let scratch: FilePath
    private let ownServer: PostgreSQLServer?
    /// The seconds in which commands that make archives have ended.
    private let archivingEnded = Recorded<Int64>()
    /// Where `borg` is, unless there is one in `bin`.
    public let borgDirectory: FilePath
    /// Added to the environment of every command, over what is there.
    public var environment: [String: String] = [:]
    /// The job file, as settings that a test may change before it runs.
    public var job: JobText
    /// To be changed where the name is all that tells the job's from another's outside its directories: a mount point.
    public var jobName = "nightly"

    public var jobFile: FilePath { scratch.appending("\(jobName).yaml") }
    public var staging: FilePath { scratch.appending("staging") }
    public var current: FilePath { staging.appending("current") }
    public var repository: FilePath { scratch.appending("repository") }
    /// What the dump `app` is of, on a host without a server.
    public var source: FilePath { scratch.appending("source") }
    public var letter: FilePath { source.appending("letter") }
    /// Of a host that has one.
    public var server: PostgreSQLServer {
        guard let ownServer else { preconditionFailure("this host has no server") }
        return ownServer
    }
    /// First in `PATH`: fake programs go here.
    public var bin: FilePath { scratch.appending("bin") }

    /// Starts it all, with sample data, runs `body`, and takes it down.
    ///
    /// - Parameters:
    ///   - borg: the job's; Debian's if not said.
    ///   - hasRepository: whether there is one, empty. If not, the first run creates it.
    public static func with(
        _ borg: BorgUnderTest? = nil, hasRepository: Bool = true, _ body: (inout TestHost) async throws -> Void
    ) async throws {
        try await withScratch { scratch in
            try await PostgreSQLServer.with(in: scratch, template: databases) { server in
                var host = try await TestHost(scratch: scratch, server: server)
                try await host.install(borg, hasRepository: hasRepository)
                try await body(&host)
            }
        }
    }

    /// The same without a server, for what does not depend on what is dumped: `app` is a directory with two files in it.
    public static func withFiles(
        _ borg: BorgUnderTest? = nil, hasRepository: Bool = true, _ body: (inout TestHost) async throws -> Void
    ) async throws {
        try await Turn.take {
            try await withScratch { scratch in
                var host = try await TestHost(scratch: scratch, server: nil)
                try FileSystem.createDirectory(host.source)
                try FileSystem.createDirectory(host.source.appending("drawer"))
                try write("dear\n", to: host.letter)
                try write("one\ntwo\n", to: host.source.appending("drawer/list"))
                try await host.install(borg, hasRepository: hasRepository)
                try await body(&host)
            }
        }
    }

    private init(scratch: FilePath, server: PostgreSQLServer?) async throws {
        self.scratch = scratch
        borgDirectory = try await BorgUnderTest.oldstable.warm.removingLastComponent()
        ownServer = server
        job = JobText(
            staging: scratch.appending("staging").string, repository: scratch.appending("repository").string,
            passphraseFile: scratch.appending("passphrase").string, connection: server?.connection,
            directory: scratch.appending("source").string, dumpLines: server == nil ? [] : ["    run_as: postgres"])
        // Root's own is one for all hosts.
        environment["STATE_DIRECTORY"] = scratch.appending("state").string
        try FileSystem.createDirectory(scratch.appending("bin"), mode: 0o755)
        try write("\(Self.passphrase)\n", to: scratch.appending("passphrase"))
    }

    private mutating func install(_ borg: BorgUnderTest?, hasRepository: Bool) async throws {
        if let borg { job.borg = try await borg.warm.string }
        if hasRepository { try await Self.repositories[borg ?? .oldstable]!.copy("repository", to: repository) }
    }

    private static let passphrase = "correct horse battery staple"
    private static let repositories = Dictionary(
        uniqueKeysWithValues: BorgUnderTest.allCases.map { ($0, Template.repository(of: $0, passphrase: passphrase)) })

    private static let databases = Template.cluster([
        (
            "postgres",
            """
            CREATE DATABASE shop;
            CREATE DATABASE library;
            CREATE ROLE clerk
            """
        ),
        (
            "shop",
            """
            CREATE TABLE orders (id int PRIMARY KEY, note text);
            INSERT INTO orders SELECT n, 'order ' || n FROM generate_series(1, 1000) n;
            CREATE TABLE empty (id int);
            GRANT SELECT ON orders TO clerk
            """
        ),
        (
            "library",
            """
            CREATE TABLE books (id int PRIMARY KEY, title text);
            INSERT INTO books SELECT n, E'tab\\there, line\\nthere, back\\\\slash ' || n FROM generate_series(1, 300) n
            """
        ),
    ])

    // MARK: Muster

    /// Runs muster with the job file to its end, and says what came of it.
    public func muster(_ arguments: String..., environment: [String: String] = [:]) async throws -> Command.Result {
        try await result(of: arguments, environment: environment)
    }

    /// The same of a list. Archives are called by the second, and a Borg that is there at once makes several in one: so each command that
    /// makes one begins in another second than the last has ended in. It may know nothing of that one.
    public func result(of arguments: [String], environment: [String: String] = [:]) async throws -> Command.Result {
        let makesArchives = ["archive", "run"].contains(arguments.first)
        if makesArchives { try await eventually { archivingEnded.all.last.map { $0 < Self.second } ?? true } }
        let result = try await start(arguments, environment: environment).result()
        if makesArchives { archivingEnded.append(Self.second) }
        return result
    }

    private static var second: Int64 { Int64(time(nil)) }

    /// Starts muster with the job file.
    ///
    /// - Parameter wrapper: a program with its arguments that becomes muster, such as setpriv.
    public func start(
        _ arguments: [String], environment: [String: String] = [:], under wrapper: [String] = []
    ) throws -> Command {
        let file = jobFile
        try write(job.text, to: file)
        // What comes after two dashes is another program's.
        let own = arguments.prefix { $0 != "--" }
        let words =
            wrapper + [musterExecutable.string] + own + ["--config", file.string] + arguments.dropFirst(own.count)
        return try Command(
            FilePath(words[0]), Array(words.dropFirst()),
            environment: self.environmentOfCommands.merging(environment) { $1 }, scratch: scratch)
    }

    /// Runs any other program as the operator would: same `PATH`, same Borg home.
    public func command(
        _ program: FilePath, _ first: String..., arguments: [String] = [], environment: [String: String] = [:]
    ) async throws -> Command.Result {
        try await Command.run(
            program, first + arguments, environment: environmentOfCommands.merging(environment) { $1 }, scratch: scratch
        )
    }

    private var environmentOfCommands: [String: String] {
        let base = [
            "PATH": "\(bin):\(borgDirectory):/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": scratch.string,
            "LC_ALL": "C.UTF-8", "BORG_BASE_DIR": scratch.appending("borg-home").string,
            "BORG_SELFTEST": "disabled", "BORG_EXIT_CODES": "modern",
        ]
        return base.merging(environment) { $1 }
    }

    // MARK: What is there

    /// Borg itself, with the job's passphrase, from the directory that is named.
    public func borg(_ arguments: String..., in directory: FilePath? = nil) async throws -> Command.Result {
        try await command(
            "/bin/sh", "-c", "cd \"$0\" && exec \"$@\"", (directory ?? scratch).string, job.borg, arguments: arguments,
            environment: ["BORG_PASSCOMMAND": "cat \(scratch)/passphrase", "BORG_REPO": repository.string])
    }

    /// The names of the archives in the repository; none if there is no repository.
    public func archiveNames() async throws -> [String] {
        guard access(repository.string, F_OK) == 0 else { return [] }
        let listing = try await borg("list", "--short", "--consider-checkpoints")
        guard listing.status == .exited(0) else { throw HostError(description: listing.errors) }
        return listing.output.split(separator: "\n").map(String.init)
    }

    /// Every path of the current set with inode, size, modification time and contents: equal exactly when nothing was touched.
    public func currentFingerprint() throws -> [String] { try fingerprint(of: current) }

    public func fingerprint(of root: FilePath) throws -> [String] {
        guard access(root.string, F_OK) == 0 else { return ["nothing"] }
        return try FileTree(root).entries().map { entry in
            let contents = entry.status.kind == .file ? try read(root.pushing(entry.path)) : ""
            return
                "\(entry.path) \(entry.status.inode) \(entry.status.bytes) \(entry.status.modified) \(contents.hashValue)"
        }
    }

    /// A program of that name, first in `PATH` for every command of this host. It is a script in which `$BORG` is Borg 1.2.
    public func fake(_ program: String, _ script: String) throws {
        try write(
            "#!/bin/bash\nBORG=\(borgDirectory)/borg\n\(script)\n", to: bin.appending(program),
            mode: FilePermissions(rawValue: 0o755))
    }
}

/// What a test could not do that should always work.
public struct HostError: Error, CustomStringConvertible {
    public var description: String

    public init(description: String) { self.description = description }
}

/// The text of a job file with a few places to change.
public struct JobText: Sendable {
    public var staging: String
    public var repository: String
    public var passphraseFile: String
    /// Of the server that the dump `app` is of; nil if it is of a directory.
    public var connection: String?
    public var directory: String
    public var borg = "borg"
    public var retry = "{times: 2, wait: 1s}"
    /// Whether `postgres` and `template1`, which every server has, are dumped too. They would take half of the time of each dump.
    public var dumpsInitialDatabases = false
    /// Lines at the top level.
    public var lines: [String] = []
    /// Lines below the dump `app`, each indented by four spaces.
    public var dumpLines: [String]
    /// Lines below the repository `local`.
    public var repositoryLines: [String] = ["    lock_wait: 1s", "    retry: {times: 1, wait: 1s}"]
    /// `initialize:` of the repository.
    public var initialize: String? = "repokey-blake2"

    private var source: [String] {
        guard let connection else { return ["    provider: directory", "    path: \(directory)"] }
        let saysWhich = dumpsInitialDatabases || dumpLines.contains { $0.hasPrefix("    databases:") }
        return ["    provider: postgresql", "    connection: \(connection)"]
            + (saysWhich ? [] : ["    databases: {exclude: [postgres, template1]}"])
    }

    public var text: String {
        let lines =
            [
                "staging: \(staging)", "parallel: 2", "retry: \(retry)",
            ] + self.lines + ["dumps:", "  app:"] + source + dumpLines + [
                "repositories:", "  local:", "    location: \(repository)", "    borg: \(borg)",
                "    passphrase: {file: \(passphraseFile)}",
            ] + (initialize.map { ["    initialize: \($0)"] } ?? []) + repositoryLines
        return lines.joined(separator: "\n") + "\n"
    }
}
