import Conformance
import DumpCore
import Glibc
import Linux
import Processes
import SystemPackage
import TestSupport
import Testing

@testable import PostgreSQL

/// A dump as a restore gets it: what the manifest says of it, and a directory that the server's user can read.
struct TakenDump: Sendable {
    var record: Manifest.DumpRecord
    var directory: FilePath

    /// As a Muster of before there were records wrote it.
    var old: TakenDump {
        var old = self
        old.record.cluster = nil
        for place in old.record.databases.indices { old.record.databases[place].record = nil }
        return old
    }
}

extension TakenDump: DumpFiles {
    func contents(of path: FilePath, limit: Int64) async throws(DumpError) -> [UInt8] {
        do {
            return try FileSystem.bytes(of: directory.pushing(path), atMost: Int(limit))
        } catch {
            throw DumpError(.system, "cannot read \(path): \(error)")
        }
    }
}

extension ClusterFixture {
    /// Dumps the server.
    func taken(
        _ name: String = "dump", _ change: (inout PostgreSQLSettings) -> Void = { _ in }
    ) async throws -> TakenDump {
        let directory = try newDirectory(name)
        let summary = try await TestRun(slots: 2).dump(provider(change), into: directory)
        let readable = scratch.appending("\(name)-readable")
        let copied = try await runProgram("cp", ["-r", directory.string, readable.string])
        let given = try await runProgram("chown", ["-R", PostgreSQLServer.user, readable.string])
        #expect(copied.succeeded && given.succeeded)
        let facts = Dictionary(summary.identity.facts.map { ($0.name, $0.value) }) { first, _ in first }
        return TakenDump(
            record: Manifest.DumpRecord(
                name: "app", provider: "postgresql", path: "app", identity: facts, moment: summary.moment,
                durationSeconds: 1, bytes: FileTree(directory).bytes(), files: 1, findings: [], omissions: [],
                checksums: Manifest.Checksums(path: "checksums/app.sha256", sha256: ""), databases: summary.databases,
                cluster: summary.cluster),
            directory: readable)
    }

    func request(_ change: (inout RestoreRequest) -> Void = { _ in }) -> RestoreRequest {
        var request = RestoreRequest()
        request.target = server.connection
        change(&request)
        return request
    }

    func restorer(_ programs: FilePath? = nil) -> PostgreSQLRestorer {
        var restorer = PostgreSQLRestorer(runner: .forTests)
        restorer.binDirectory = programs
        return restorer
    }

    /// Looks, and restores. Findings of severity failure end it.
    @discardableResult
    func restore(
        _ dump: TakenDump, by restorer: PostgreSQLRestorer? = nil, in run: TestRun = TestRun(),
        _ change: (inout RestoreRequest) -> Void = { _ in }
    ) async throws -> RestoreOutcome {
        let prepared = try await prepared(dump, by: restorer, in: run, change)
        return try await prepared.restore(from: dump.directory, in: run.context)
    }

    func prepared(
        _ dump: TakenDump, by restorer: PostgreSQLRestorer? = nil, in run: TestRun = TestRun(),
        _ change: (inout RestoreRequest) -> Void = { _ in }
    ) async throws -> any PreparedRestore {
        try await (restorer ?? self.restorer()).prepare(
            request(change), of: dump.record, reading: dump, in: run.context)
    }

    /// All databases and roles, with what can be altered in them.
    func inventory() async throws -> [String] {
        try await server.psql(
            """
            select 'database ' || oid || ' ' || datname || ' ' || datallowconn || ' ' || datistemplate || ' ' || datconnlimit
                || ' ' || coalesce(shobj_description(oid, 'pg_database'), '') from pg_database order by 1;
            select 'role ' || rolname || ' ' || rolsuper || ' ' || rolcanlogin || ' ' || coalesce(rolpassword, '')
                from pg_authid order by 1;
            select 'member ' || roleid::regrole || ' ' || member::regrole from pg_auth_members order by 1;
            select 'tablespace ' || spcname from pg_tablespace order by 1
            """
        ).split(separator: "\n").map(String.init)
    }

    func databases() async throws -> [String] {
        try await server.psql("select datname from pg_database where not datname ~ '^(postgres|template.)$' order by 1")
            .split(separator: "\n").map(String.init)
    }

    /// What of a database is not in itself, by `\l+` and `\drds`, but its name.
    func attributes(of database: String) async throws -> [String] {
        let name = database.asLiteral
        return try await server.psql(
            """
            select concat_ws(' ', pg_encoding_to_char(encoding), datlocprovider, datcollate, datctype, daticulocale,
                pg_get_userbyid(datdba), datconnlimit, datistemplate, datallowconn, shobj_description(oid, 'pg_database'))
            from pg_database where datname = \(name);
            select 'grant ' || acl from pg_database, unnest(datacl) acl where datname = \(name) order by acl::text;
            select 'setting ' || setrole::regrole || ' ' || setting from pg_db_role_setting, unnest(setconfig) setting
            where setdatabase = (select oid from pg_database where datname = \(name)) order by 1
            """
        ).split(separator: "\n").map(String.init)
    }
}

/// A place in a restore at which it stops until the test goes on.
final class Halt: Sendable {
    private let reached = AsyncStream<Void>.makeStream()
    private let released = AsyncStream<Void>.makeStream()

    func stop() async {
        reached.continuation.finish()
        for await _ in released.stream {}
    }

    func wait() async { for await _ in reached.stream {} }

    /// Waits no longer once the work has ended without coming by.
    func watch(_ task: Task<RestoreOutcome, any Error>) {
        Task {
            _ = await task.result
            reached.continuation.finish()
        }
    }

    func release() { released.continuation.finish() }
}
