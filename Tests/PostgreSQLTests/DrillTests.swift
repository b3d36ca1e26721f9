import Conformance
import DumpCore
import Glibc
import Linux
import Processes
import SystemPackage
import TestSupport
import Testing

@testable import PostgreSQL

@Suite("A drill")
struct DrillTests {
    @Test("restores a database of everything, finds no difference, and leaves nothing", arguments: [1, 2])
    func everything(jobs: Int) async throws {
        try await ClusterFixture.with { cluster in
            try await cluster.createRecorded()
            try await DrillFixture.with(cluster, ["rich"]) { fixture in
                let outcome = try await fixture.drill {
                    $0.jobs = jobs
                    $0.isThorough = true
                }
                #expect(outcome.isProven, "\(outcome.items.flatMap(\.comparison.differences))")
                #expect(outcome.items.map(\.item) == ["rich", "globals"])
                #expect(outcome.items.map(\.name) == ["rich", "globals"])
                #expect(outcome.items.flatMap(\.comparison.notCompared) == [])
                #expect(outcome.items[0].comparison.compared["structure"] == 1)
                #expect(outcome.items[1].comparison.compared["roles"] == 3)
                #expect(outcome.identity["isolated"] == "true")
                #expect(outcome.identity["server_version"] == fixture.dump.identity["server_version"])
                let left = try fixture.leftovers()
                #expect(left == [])
            }
        }
    }

    /// A materialized view that runs a program when it is filled, and holds what came of it.
    private static func probe(_ live: PostgreSQLServer, port: UInt16) -> String {
        let script = """
            (echo > \(live.directory)/data/touched-by-$(id -un)) 2>/dev/null && echo -n wrote || echo -n no file;
            (exec 3<>/dev/tcp/127.0.0.1/\(port)) 2>/dev/null && echo -n , network || echo -n , no network;
            test -S \(live.directory)/.s.PGSQL.5432 && echo -n , socket || echo -n , no socket;
            ls /home /root /var /run >/dev/null 2>&1 && echo -n , files || echo -n , no files
            """.split(separator: "\n").joined(separator: " ").replacing("'", with: "")
        return """
            create function run() returns text language plpgsql as $f$ begin
                copy (select 1) to program 'bash -c "(\(script)) > result"';
                return pg_read_file('result');
            end $f$;
            create materialized view probe as select run() as answer;
            """
    }

    @Test("runs what the dump brings along without network, live data, sockets or homes in reach")
    func isolation() async throws {
        let listener = try LocalListener()
        let port = listener.port
        try await ClusterFixture.with { cluster in
            try await cluster.server.psql("create database hostile")
            try await cluster.server.psql(Self.probe(cluster.server, port: port), in: "hostile")
            // Proves that the program would do all that if it could.
            #expect(
                try await cluster.server.psql("select answer from probe", in: "hostile")
                    == "wrote, network, socket, no files")
            try await DrillFixture.with(cluster, ["hostile"]) { fixture in
                let outcome = try await fixture.drill {
                    $0.assertions = [
                        DrillRequest.Assertion(
                            item: "hostile", statement: "select answer from probe",
                            expected: "no file, no network, no socket, no files")
                    ]
                }
                #expect(outcome.isProven, "\(outcome.items.flatMap(\.comparison.differences))")
                let touched = try FileSystem.names(in: cluster.server.directory.appending("data"))
                    .map(\.string).filter { $0.hasPrefix("touched") }
                #expect(touched == ["touched-by-postgres"])
            }
        }
        withExtendedLifetime(listener) {}
    }

    @Test("of a dump that passes every check and cannot be restored fails, and names the function")
    func unrestorable() async throws {
        let statements = """
            create table t (id int primary key);
            create function ok(int) returns bool language plpgsql immutable as 'begin return exists(select 1 from t where id=$1); end';
            create table c (id int check (ok(id)));
            insert into t values (1); insert into c values (1);
            """
        try await DrillFixture.with([(name: "faithful", statements: statements)]) { fixture in
            let error = try await dumpError { _ = try await fixture.drill() }
            #expect(error.description.contains("relation \"t\" does not exist"), "\(error)")
            #expect(error.description.contains("ok(integer)"), "\(error)")
            let left = try fixture.leftovers()
            #expect(left == [])
        }
    }

    @Test("asks the operator's questions, and a wrong answer is a difference")
    func questions() async throws {
        try await DrillFixture.with([DrillFixture.shop]) { fixture in
            let good = try await fixture.drill {
                $0.assertions = [
                    DrillRequest.Assertion(item: "shop", statement: "select count(*) from orders", expected: "1000")
                ]
                $0.freshness = [
                    DrillRequest.Freshness(
                        item: "shop", statement: "select max(made) from orders", limit: .seconds(7200))
                ]
            }
            #expect(good.isProven, "\(good.items.flatMap(\.comparison.differences))")
            #expect(good.items[0].comparison.compared["assertion"] == 1)
            #expect(good.items[0].comparison.compared["freshness"] == 1)

            let bad = try await fixture.drill {
                $0.assertions = [
                    DrillRequest.Assertion(item: "shop", statement: "select count(*) from orders", expected: "1001"),
                    DrillRequest.Assertion(item: "shop", statement: "select no_such from orders", expected: "1"),
                    DrillRequest.Assertion(
                        item: "shop", statement: "select id from orders where id < 3", expected: "1"),
                    DrillRequest.Assertion(item: "shop", statement: "delete from orders returning 1", expected: "1"),
                    DrillRequest.Assertion(item: "gone", statement: "select 1", expected: "1"),
                ]
                $0.freshness = [
                    DrillRequest.Freshness(
                        item: "shop", statement: "select max(made) from orders", limit: .seconds(60)),
                    DrillRequest.Freshness(item: "shop", statement: "select null", limit: .seconds(60)),
                    DrillRequest.Freshness(item: "shop", statement: "select 'never'", limit: .seconds(60)),
                ]
            }
            let differences = bad.items.flatMap(\.comparison.differences)
            #expect(
                differences.map(\.fact) == Array(repeating: "assertion", count: 4)
                    + Array(repeating: "freshness", count: 3) + ["assertion"])
            #expect(
                differences.first?.description
                    == "assertion of shop: select count(*) from orders: expected 1001, found 1000")
            #expect(differences[1].found.contains("no_such"))
            #expect(differences[2].found == "2 rows where one with one value was expected")
            #expect(differences[3].found.contains("read-only transaction"))
            #expect(differences[4].found.hasSuffix("before it"))
            #expect(differences[5].found == "null")
            #expect(differences[6].found == "never, which is not a time")
            #expect(differences[7].found == "no such database restored")
        }
    }

    @Test("restores the databases that it is asked for, and no others")
    func someDatabases() async throws {
        let other = (name: "other", statements: "create table t (id int)")
        try await DrillFixture.with([DrillFixture.shop, other]) { fixture in
            let outcome = try await fixture.drill { $0.items = ["other"] }
            #expect(outcome.items.map(\.item) == ["other", "globals"] && outcome.isProven)
        }
    }

    @Test("that takes more space than it may is stopped, and leaves nothing")
    func sizeLimit() async throws {
        try await DrillFixture.with([DrillFixture.shop]) { fixture in
            let error = try await dumpError { _ = try await fixture.drill { $0.byteLimit = 20 << 20 } }
            #expect(error.code == .noSpace)
            #expect(error.message.hasSuffix("already, and a drill may take 20.0 MiB"), "\(error)")
            let left = try fixture.leftovers()
            #expect(left == [])
        }
    }

    @Test("within its limit of space is done")
    func withinLimit() async throws {
        try await DrillFixture.with([DrillFixture.shop]) { fixture in
            let outcome = try await fixture.drill { $0.byteLimit = 1 << 30 }
            #expect(outcome.isProven)
        }
    }

    @Test("leaves out security labels, whose modules its server does not load, and says so")
    func securityLabels() async throws {
        let statements = """
            create table t (id int); set allow_system_table_mods to on;
            insert into pg_seclabel values ('t'::regclass, 'pg_class'::regclass, 0, 'guard', 'secret');
            insert into pg_shseclabel values
                ((select oid from pg_database where datname = current_database()), 'pg_database'::regclass, 'guard', 'secret')
            """
        try await DrillFixture.with([(name: "labelled", statements: statements)]) { fixture in
            let outcome = try await fixture.drill()
            #expect(outcome.isProven)
            #expect(
                outcome.items[0].comparison.notCompared
                    == ["security labels of 'guard' (a drill's server does not load their module)"])
        }
    }

    @Test("of a version whose server is not installed says what to install, and starts no other")
    func missingMajor() async throws {
        try await DrillFixture.with([DrillFixture.shop]) { fixture in
            var fixture = fixture
            fixture.dump.identity["server_version"] = "99.1 (Debian 99.1-1)"
            let error = try await dumpError { [fixture] in _ = try await fixture.drill() }
            #expect(
                error.description == """
                    the server programs of PostgreSQL 99 (initdb, postgres) are not installed, which a drill of this dump needs
                      hint: On Debian: apt-get install postgresql-99.
                    """)
            fixture.dump.identity["server_version"] = nil
            let unknown = try await dumpError { [fixture] in _ = try await fixture.drill() }
            #expect(unknown.message == "the manifest does not say which version of PostgreSQL was dumped")
        }
    }

    @Test("finds the version of programs that are in PATH")
    func programsInPath() async throws {
        var dump = Manifest.DumpRecord.bare
        dump.identity["server_version"] = "15.3"
        let unversioned = [ServerPrograms(in: PostgreSQLServer.binDirectory)]
        let found = try await ServerPrograms.find(forDrillOf: dump, among: unversioned, runner: .forTests)
        #expect(found.major == 15)
        dump.identity["server_version"] = "16.1"
        let error = try await dumpError { [dump] in
            _ = try await ServerPrograms.find(forDrillOf: dump, among: unversioned, runner: .forTests)
        }
        #expect(error.code == .programUnsuitable)
    }

    @Test("that is cancelled leaves nothing")
    func cancelled() async throws {
        try await DrillFixture.with([DrillFixture.shop]) { fixture in
            let task = Task { try await fixture.drill() }
            let socket = fixture.room.pushing("pg/.s.PGSQL.5432").string
            try await eventually { access(socket, F_OK) == 0 }
            task.cancel()
            await #expect(throws: DumpError.self) { try await task.value }
            let left = try fixture.leftovers()
            #expect(left == [])
        }
    }

    @Test("as a user whose data it could reach is refused; as one that owns nothing it is isolated too")
    func users() async throws {
        try await DrillFixture.with([DrillFixture.shop]) { fixture in
            let refused = try await dumpError { _ = try await fixture.drill { $0.user = "postgres" } }
            #expect(
                refused.message
                    == "a drill's server may not run as 'postgres', whose data code in the dump could change")
            let root = try await dumpError { _ = try await fixture.drill { $0.user = "root" } }
            #expect(root.code == .settings)
            let unknown = try await dumpError { _ = try await fixture.drill { $0.user = "no-such" } }
            #expect(unknown.message == "there is no user 'no-such' on this host, whom a drill's server could run as")
            let outcome = try await fixture.drill { $0.user = "games" }
            #expect(outcome.isProven && outcome.identity["isolated"] == "true")
        }
    }

    @Test("where namespaces are refused runs as nobody, and says what its code could reach")
    func withoutNamespaces() async throws {
        try await DrillFixture.with([DrillFixture.shop]) { fixture in
            let keeper = fixture.room.removingLastComponent().appending("keeper")
            let script = """
                #!/bin/sh
                case $1 in --isolate) echo 'muster: cannot have namespaces' >&2; exit 127;; esac
                exec \(keeperExecutable) "$@"

                """
            try write(script, to: keeper, mode: FilePermissions(rawValue: 0o755))
            let outcome = try await fixture.drill(by: ProgramRunner(keeper: keeper, log: .silent))
            #expect(outcome.isProven && outcome.identity["isolated"] == "false")
            let finding = try #require(outcome.findings.first { $0.code == "drill_not_isolated" })
            #expect(finding.severity == .warning && finding.object == "nobody")
            #expect(
                finding.message
                    == "the drill's server runs as 'nobody' without isolation: code in the dump can reach what that user can, "
                    + "and the network (muster: cannot have namespaces)")
            let left = try fixture.leftovers()
            #expect(left == [])
        }
    }

    @Test("that fails keeps its copy too if asked, and the error says where")
    func keptAfterFailure() async throws {
        let statements = """
            create function f() returns bool language plpgsql immutable as 'begin return exists(select 1 from t); end';
            create table t (id int); create table c (id int check (f())); insert into t values (1); insert into c values (1);
            """
        try await DrillFixture.with([(name: "faithful", statements: statements)]) { fixture in
            let error = try await dumpError { _ = try await fixture.drill { $0.keepsCopy = true } }
            #expect(error.context["copy"] == "\(fixture.room)/pg")
            #expect(try FileSystem.names(in: fixture.room).map(\.string) == ["pg"])
        }
    }

    @Test("has extensions loaded that need it, without a worker that could run their jobs, and event triggers off")
    func settings() throws {
        let run = try #require(RunID("20261129T174500Z-0123"))
        var cron = DatabaseContents(name: "jobs", path: "databases/jobs", tables: [])
        var record = DatabaseRecord(
            encoding: "LATIN1", locale: LocaleRecord(provider: "icu", collate: "C", ctype: "C", name: "de-AT"),
            owner: "o",
            connectionLimit: -1, isTemplate: false)
        record.extensions = ["pg_cron", "hstore", "citus"].map {
            ExtensionRecord(name: $0, version: "1", schema: "public")
        }
        cron.record = record
        var template = DatabaseContents(name: "template1", path: "databases/template1", tables: [])
        record.extensions = []
        template.record = record
        var dump = Manifest.DumpRecord.bare
        dump.databases = [cron, template]
        let all = DrillSettings(dump: dump, drill: DrillRequest(), major: 17, run: run)
        #expect(
            Set(all.lines).isSuperset(of: [
                "shared_preload_libraries = 'citus,pg_cron'", "max_worker_processes = 0", "event_triggers = off",
                "cron.database_name = 'jobs_restoring_20261129T174500Z-0123'", "max_logical_replication_workers = 0",
            ]))
        #expect(all.findings.map(\.object) == ["citus", "pg_cron"])
        #expect(
            all.arguments == [
                "--encoding=LATIN1", "--locale=C", "--lc-collate=C", "--lc-ctype=C", "--locale-provider=icu",
                "--icu-locale=de-AT",
            ])
        var request = DrillRequest()
        request.items = ["template1"]
        let other = DrillSettings(dump: dump, drill: request, major: 15, run: run)
        #expect(
            !other.lines.contains { $0.contains("preload") || $0.contains("event_triggers") || $0.contains("cron") })
        #expect(other.lines.contains("max_worker_processes = 8"))
    }

    @Test("keeps its copy if asked, and says how to start it")
    func keptCopy() async throws {
        try await DrillFixture.with([DrillFixture.shop]) { fixture in
            let outcome = try await fixture.drill { $0.keepsCopy = true }
            let finding = try #require(outcome.findings.first { $0.code == "drill_copy_kept" })
            let copy = fixture.room.appending("pg")
            #expect(finding.object == copy.string)
            let hint = try #require(finding.hint)
            let start = try #require(hint.firstRange(of: "with: ").map { hint[$0.upperBound...] })
            let command = try #require(start.firstRange(of: "; connect").map { start[..<$0.lowerBound] })
            let server = Task {
                try await ProgramRunner.forTests.run(
                    Program("/bin/sh", ["-c", String(command)], grace: .zero), output: .discard)
            }
            try await eventually {
                try await runProgram(
                    "psql", ["-XAtq", "-h", copy.string, "-U", "postgres", "-d", "shop", "-c", "select 1"]
                )
                .succeeded
            }
            let counted = try await output(
                "psql", "-XAtq", "-h", copy.string, "-U", "postgres", "-d", "shop", "-c", "select count(*) from orders")
            #expect(counted == "1000\n")
            server.cancel()
            _ = await server.result
            // Made by the command, and empty again.
            rmdir("/drill")
        }
    }

    @Test("finds what pg_amcheck finds")
    func structure() async throws {
        let statements = """
            create function place(int) returns int language sql immutable as 'select $1';
            create table t (id int); insert into t select generate_series(1, 100); create index on t (place(id));
            """
        try await DrillFixture.with([(name: "damaged", statements: statements)]) { fixture in
            var request = DrillRequest()
            request.isThorough = true
            let server = try await DrillServer.prepare(for: fixture.dump, request, in: fixture.room, runner: .forTests)
            let drill = Drill(request: request, dump: fixture.dump, server: server)
            let restorer = PostgreSQLRestorer(runner: .forTests)
            let outcome = try await drill.perform { restore throws(DumpError) in
                let outcome = try await restorer.restored(
                    restore, of: fixture.dump, from: fixture.directory, in: TestRun().context)
                try await server.session(in: "damaged") { session throws(DumpError) in
                    _ = try await session.query("set default_transaction_read_only to off")
                    _ = try await session.query(
                        "create or replace function public.place(int) returns int language sql immutable as 'select $1 + 1000'"
                    )
                }
                return outcome
            }
            let differences = outcome.items.flatMap(\.comparison.differences)
            #expect(differences.map(\.fact) == ["structure"])
            #expect(differences.first?.found.contains("t_place_idx") == true, "\(differences)")
        }
    }

    @Test("gives a prompt in one database for as long as it is wanted")
    func prompt() async throws {
        let other = (name: "other", statements: "create table t (id int)")
        try await DrillFixture.with([DrillFixture.shop, other]) { fixture in
            let answer = try await PostgreSQLRestorer(runner: .forTests).withDatabase(
                "shop", of: fixture.dump, from: fixture.directory, in: fixture.room, DrillRequest(), TestRun().context
            ) { prompt throws(DumpError) -> String in
                do {
                    let asked = try await ProgramRunner.forTests.run(
                        Program(
                            prompt.psql,
                            [
                                "-XAtq", "-d", prompt.conninfo, "-c",
                                "select count(*) from orders; select current_database()",
                            ]),
                        output: .collect(limit: 1000))
                    return String(decoding: asked.output, as: UTF8.self)
                } catch {
                    throw DumpError(.programFailed, "\(error)")
                }
            }
            #expect(answer == "1000\nshop\n")
            let left = try fixture.leftovers()
            #expect(left == [])
        }
    }

    @Test("of a database in a tablespace has it in its room, and not where the live one is")
    func tablespaces() async throws {
        try await ClusterFixture.with { cluster in
            let place = cluster.server.directory.appending("space")
            try FileSystem.createDirectory(place)
            try PostgreSQLServer.own(place)
            try await cluster.server.psql("create tablespace \"fast \"\"one\" location '\(place)'")
            try await cluster.server.psql("create database shop tablespace \"fast \"\"one\"")
            try await cluster.server.psql("create table t (id int)", in: "shop")
            let before = try FileTree(place).entries().map(\.path)
            try await DrillFixture.with(cluster, ["shop"]) { fixture in
                let outcome = try await fixture.drill()
                #expect(outcome.isProven, "\(outcome.items.flatMap(\.comparison.differences))")
                #expect(
                    outcome.items.last?.comparison.notCompared
                        == ["owners and places of tablespaces (a drill has its own)"])
                #expect(try FileTree(place).entries().map(\.path) == before)
            }
        }
    }
}

extension Manifest.DumpRecord {
    /// Without any databases.
    static var bare: Manifest.DumpRecord {
        Manifest.DumpRecord(
            DumpSummary(identity: [:], moment: Moment(.exact, from: .now, to: .now)))
    }
}
