import Conformance
import DumpCore
import Glibc
import Linux
import PostgreSQL
import SystemPackage
import TestSupport
import Testing

@Suite("What a dump restores to")
struct RestoreTests {
    @Test("A dump restores with plain psql and pg_restore to the same rows, roles and grants", arguments: [1, 2])
    func databases(jobs: Int) async throws {
        try await withTwoClusters { source, target in
            try await source.createRichDatabase()
            let directory = try source.newDirectory()
            let run = TestRun(slots: 2, jobsPerUnit: jobs)
            let summary = try await run.dump(source.provider(), into: directory)

            let rich = try #require(summary.databases.first { $0.name == "rich" })
            #expect(rich.path == "databases/rich")
            #expect(rich.tables.map(\.withoutColumns) == (try await source.countedRows()))
            // Optimizer statistics too, if the client is older than 18.
            let omissions = summary.omissions.map(\.code).filter { $0 != "optimizer_statistics" }
            #expect(omissions == ["materialized_view_rows", "sequences_outside_snapshot", "server_settings"])

            let dump = try await target.reachable(directory)
            try await target.restoreScript(dump.appending("globals.sql"))
            try await PostgreSQLServer.run(
                "pg_restore",
                [
                    "--exit-on-error", "--create", "-d", target.server.connection + " dbname=postgres",
                    "\(dump)/databases/rich",
                ]
            )
            try await expectSame(source, target)
        }
    }

    @Test("The script of a whole cluster restores with plain psql to the same rows, roles and grants")
    func cluster() async throws {
        try await withTwoClusters { source, target in
            try await source.createRichDatabase()
            let directory = try source.newDirectory()
            let provider = source.provider { $0.layout = .cluster }
            let summary = try await TestRun().dump(provider, into: directory)
            #expect(
                summary.databases.map { [$0.name, $0.path] } == [
                    ["postgres", "all.sql"], ["rich", "all.sql"], ["template1", "all.sql"],
                ])
            #expect(summary.digests.keys.map(\.string) == ["all.sql"])
            try await target.restoreScript(try await target.reachable(directory).appending("all.sql"))
            try await expectSame(source, target)
        }
    }

    @Test("The script of a whole cluster fills a database that is read only")
    func readOnlyDatabase() async throws {
        try await withTwoClusters { source, target in
            try await source.createShop()
            try await source.server.psql("alter database shop set default_transaction_read_only = on")
            let directory = try source.newDirectory()
            _ = try await TestRun().dump(source.provider { $0.layout = .cluster }, into: directory)
            try await target.restoreScript(try await target.reachable(directory).appending("all.sql"))
            #expect(
                try await target.server.fingerprint(of: "shop") == source.server.fingerprint(of: "shop"))
        }
    }

    @Test("A database that is read only is told before the dump, with what its restore needs")
    func readOnlyFinding() async throws {
        try await ClusterFixture.withShop { cluster in
            try await cluster.server.psql("alter database shop set default_transaction_read_only = on")
            try await cluster.server.psql("alter database app set default_transaction_read_only = off")
            try await TestRun().prepared(cluster.provider()) { source in
                let finding = try #require(source.findings.first { $0.code == "database_read_only" })
                #expect(source.findings.filter { $0.code == "database_read_only" } == [finding])
                #expect(finding.object == "shop")
                #expect(finding.hint?.contains("PGOPTIONS='-c default_transaction_read_only=off'") == true)
            }
        }
    }

    private func expectSame(_ source: ClusterFixture, _ target: ClusterFixture) async throws {
        let expected = try await source.everything()
        let restored = try await target.everything()
        #expect(restored == expected)
        #expect(expected.count > 20)
    }

    private func withTwoClusters(_ body: (ClusterFixture, ClusterFixture) async throws -> Void) async throws {
        try await ClusterFixture.with { source in
            try await ClusterFixture.with { target in try await body(source, target) }
        }
    }
}

extension ClusterFixture {
    /// A database `rich` with one of everything that is easily lost.
    fileprivate func createRichDatabase() async throws {
        try await server.psql(
            """
            create role reader nologin;
            create role app_user login password 'kept' in role reader;
            alter role app_user set work_mem = '5MB'
            """)
        try await server.psql("create database rich owner app_user")
        try await server.psql(
            """
            alter database rich set timezone = 'Asia/Tokyo';
            revoke connect on database rich from public;
            grant connect on database rich to reader;
            """)
        try await server.psql(
            #"""
            create table plain (id bigint primary key, note text, at timestamptz default now());
            insert into plain select i, 'note ' || i from generate_series(1, 5000) i;
            create table odd_text (id int, body text);
            insert into odd_text values (1, E'a\nb'), (2, '\.'), (3, E'tab\there'), (4, ''), (5, null),
                (6, E'carriage\rreturn'), (7, 'back\slash'), (8, repeat(E'\n', 100000));
            create table empty (id int);
            create table no_columns ();
            insert into no_columns default values;
            create table only_generated (a int generated always as (2) stored);
            insert into only_generated default values;
            create unlogged table fleeting (id int);
            insert into fleeting values (1);
            create table parted (id int, part text) partition by list (part);
            create table parted_a partition of parted for values in ('a');
            create table parted_rest partition of parted default;
            insert into parted values (1, 'a'), (2, 'b'), (3, 'a');
            create schema "odd schema.";
            create table "odd schema."."odd ""table""" (id int);
            insert into "odd schema."."odd ""table""" values (1), (2);
            create table "odd schema."."TABLE DATA public x" (id int);
            create schema "DATA";
            create table "DATA".public (id int);
            create sequence counter;
            select setval('counter', 42);
            create materialized view summary as select count(*) from plain;
            create function greet() returns text language sql as $$ select 'COPY x FROM stdin;' $$;
            create index on plain (note);
            alter table plain enable row level security;
            create policy own on plain to reader using (id < 10);
            grant select on plain to reader;
            select lo_from_bytea(4711, 'a large object'), lo_from_bytea(4712, decode(repeat('00ff', 50000), 'hex')),
                lo_from_bytea(4713, '');
            """#, in: "rich")
    }

    /// The rows of every table with rows of its own, as the manifest shall have them.
    fileprivate func countedRows() async throws -> [TableContents] {
        let tables = try await server.psql(
            """
            select format('%s|%s|%s', nspname, relname, (xpath('/row/n/text()', query_to_xml(
                format('select count(*) as n from %I.%I', nspname, relname), false, true, '')))[1])
            from pg_class c join pg_namespace n on n.oid = relnamespace
            where relkind = 'r' and nspname !~ '^pg_|^information_schema$'
            order by nspname collate "C", relname collate "C"
            """, in: "rich")
        return tables.split(separator: "\n").map { line in
            let words = line.split(separator: "|").map(String.init)
            return TableContents(schema: words[0], name: words[1], rows: Int64(words[2])!)
        }
    }

    /// One line for each thing that must be the same after a restore.
    fileprivate func everything() async throws -> [String] {
        let contents = """
            select format('%I.%I ', nspname, relname) || (xpath('/row/sum/text()', query_to_xml(format(
                'select count(*) || md5(coalesce(string_agg(t::text, chr(10) order by t::text), '''')) as sum from %I.%I t',
                nspname, relname), true, true, '')))[1]
            from pg_class c join pg_namespace n on n.oid = relnamespace
            where relkind in ('r', 'p', 'm') and nspname !~ '^pg_|^information_schema$' order by 1
            """
        let settings = """
            select 'lo ' || oid || ' ' || md5(lo_get(oid)) from pg_largeobject_metadata order by 1;
            select 'sequence ' || last_value from counter;
            select 'grant ' || has_table_privilege('reader', 'plain', 'select');
            select 'policy ' || polname from pg_policy;
            select 'function ' || greet();
            select 'role ' || rolname || ' ' || coalesce(rolpassword, '') from pg_authid where rolname !~ '^pg_' order by 1;
            select 'member ' || pg_has_role('app_user', 'reader', 'usage');
            select 'setting ' || coalesce(datname, '') || ' ' || setconfig::text
                from pg_db_role_setting left join pg_database d on d.oid = setdatabase order by 1;
            select 'database ' || pg_get_userbyid(datdba) || ' ' || string_agg(acl::text, ',' order by acl::text)
                from pg_database, unnest(datacl) acl where datname = 'rich' group by datdba
            """
        return try await (server.psql(contents, in: "rich") + "\n" + server.psql(settings, in: "rich"))
            .split(separator: "\n").map(String.init)
    }

    /// A copy of a dump that the server's user may read: dumps are for our own eyes.
    fileprivate func reachable(_ directory: FilePath) async throws -> FilePath {
        let copy = scratch.appending("copy")
        let copied = try await runProgram("cp", ["-r", directory.string, copy.string])
        let given = try await runProgram("chown", ["-R", PostgreSQLServer.user, copy.string])
        #expect(copied.succeeded && given.succeeded)
        return copy
    }

    /// Runs a script of pg_dumpall as it is.
    fileprivate func restoreScript(_ script: FilePath) async throws {
        try await PostgreSQLServer.run(
            "psql", ["-Xq", "-v", "ON_ERROR_STOP=1", "-d", server.connection + " dbname=postgres", "-f", script.string])
    }
}
