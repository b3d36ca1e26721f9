import Conformance
import DumpCore
import Glibc
import Linux
import Logging
import PostgreSQL
import Processes
import SystemPackage
import TestSupport
import Testing

/// A PostgreSQL server of a test's own, with providers for it.
struct ClusterFixture: Sendable {
    let scratch: FilePath
    let server: PostgreSQLServer

    static func with<Result>(
        template: Template = .emptyCluster, settings: [String] = [], _ body: (ClusterFixture) async throws -> Result
    ) async throws -> Result {
        try await withScratch { scratch in
            try await PostgreSQLServer.with(in: scratch, template: template, settings: settings) { server in
                try await body(ClusterFixture(scratch: scratch, server: server))
            }
        }
    }

    /// With what `createShop` makes.
    static func withShop<Result>(
        settings: [String] = [], _ body: (ClusterFixture) async throws -> Result
    ) async throws -> Result {
        try await with(template: .shop, settings: settings, body)
    }

    /// A provider that acts as the superuser `postgres` by peer authentication, unless `change` says otherwise.
    func provider(
        password: Secret? = nil, log: Logger = .silent, _ change: (inout PostgreSQLSettings) -> Void = { _ in }
    ) -> PostgreSQLProvider {
        var settings = PostgreSQLSettings()
        settings.connection = server.connection
        settings.runAs = PostgreSQLServer.user
        settings.lockTimeout = .seconds(60)
        change(&settings)
        let runner = ProgramRunner(keeper: keeperExecutable, log: log)
        return PostgreSQLProvider(settings: settings, runner: runner) { password }
    }

    func newDirectory(_ name: String = "dump") throws -> FilePath {
        let directory = scratch.appending(name)
        try FileSystem.createDirectory(directory)
        return directory
    }

    /// The database `shop` with `orders` (20,000 rows, more than 1 MiB), and a small one, `app`; for a server that no template can be for.
    func createShop() async throws {
        for (database, statements) in Template.shopStatements { try await server.run(statements, in: database) }
    }

    /// Runs `body` while another session holds an ACCESS EXCLUSIVE lock on a table.
    func whileLocked(_ table: String, in database: String, _ body: () async throws -> Void) async throws {
        let holder = Task {
            try await server.psql(
                "set application_name to locker; begin; lock table \(table); select pg_sleep(600)", in: database)
        }
        try await eventually {
            try await server.psql(
                "select count(*) from pg_locks where granted and mode = 'AccessExclusiveLock' and locktype = 'relation'"
            )
                == "1"
        }
        let outcome: Swift.Result<Void, any Error>
        do { outcome = .success(try await body()) } catch { outcome = .failure(error) }
        try await server.psql(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'locker'")
        // Its connection was cut, which psql reports.
        _ = try? await holder.value
        try outcome.get()
    }

    /// Sessions and processes of ours that are still there.
    func leftovers() async throws -> [String] {
        let sessions = try await server.psql(
            "select application_name from pg_stat_activity where application_name like 'muster%'")
        let processes = try RunningProcess.mentioning("host='\(server.directory)'", "application_name='muster")
        return sessions.split(separator: "\n").map(String.init) + processes.map(\.commandLine)
    }

    /// Waits until the server has no session: one that was closed is counted until its process has ended.
    func untilNoSession() async throws {
        let postmaster = try read(server.directory.appending("data/postmaster.pid")).prefix { $0 != "\n" }
        try await eventually {
            try !RunningProcess.mentioning("postgres: ", "[local]").contains { session in
                // It may end while we look.
                let facts = ((try? read(FilePath("/proc/\(session.pid)/stat"))) ?? "").split(separator: " ")
                return facts.count > 3 && facts[3] == postmaster && session.commandLine.hasPrefix("postgres: ")
            }
        }
    }

    /// The client programs of this machine, with `pg_dump` replaced by a script in which `$REAL` is the directory of the real ones.
    func clientPrograms(pgDump: String, pgDumpAll: String? = nil, pgRestore: String? = nil) throws -> FilePath {
        let directory = scratch.appending("bin")
        try FileSystem.createDirectory(directory, mode: 0o755)
        let scripts = [("pg_dump", pgDump), ("pg_dumpall", pgDumpAll), ("pg_restore", pgRestore)]
        for (name, script) in scripts {
            let real = PostgreSQLServer.binDirectory
            let text = """
                #!/bin/bash
                REAL=\(real)
                [ "$1" = --version ] && exec $REAL/\(name) --version
                \(script ?? "exec $REAL/\(name) \"$@\"")

                """
            try write(text, to: directory.appending(name), mode: FilePermissions(rawValue: 0o755))
        }
        return directory
    }
}

extension Template {
    static let shop = Template.cluster(shopStatements)

    static let shopStatements: [(database: String, statements: String)] = [
        ("postgres", "create database shop;\ncreate database app"),
        (
            "shop",
            """
            create table orders (id bigint primary key, item text, note text);
            insert into orders select i, 'item ' || i, repeat('x', 40) from generate_series(1, 20000) i;
            create table customers (id int, name text);
            insert into customers values (1, E'two\\nlines'), (2, null), (3, E'tab\\tand \\\\')
            """
        ),
        ("app", "create table settings (name text); insert into settings values ('a')"),
    ]
}

extension ProgramRunner {
    static var forTests: ProgramRunner { ProgramRunner(keeper: keeperExecutable, log: .silent) }
}

/// The error that `body` throws, which must be one of a dump.
func dumpError(
    sourceLocation: SourceLocation = #_sourceLocation, _ body: () async throws -> Void
) async throws -> DumpError {
    try #require(
        await #expect(throws: DumpError.self, sourceLocation: sourceLocation) { try await body() },
        sourceLocation: sourceLocation)
}

extension TableContents {
    /// Only what its rows tell.
    var withoutColumns: TableContents { TableContents(schema: schema, name: name, rows: rows) }
}
