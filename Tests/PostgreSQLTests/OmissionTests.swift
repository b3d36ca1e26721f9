import Conformance
import DumpCore
import Linux
import PostgreSQL
import SystemPackage
import TestSupport
import Testing

@Suite("What is not in a dump")
struct OmissionTests {
    /// Something that a dump leaves out, and what makes it so.
    struct Example: Sendable, CustomTestStringConvertible {
        var code: OmissionCode
        /// Whether a superuser dumps, or a member of `pg_read_all_data`.
        var asSuperuser = true
        var database = "shop"
        var statements: String
        /// Object and message of each finding.
        var expected: [String: String]
        var severity = Finding.Severity.warning

        var testDescription: String { code.rawValue }
    }

    static let examples = [
        Example(
            code: .foreignTableData,
            statements: """
                create extension file_fdw; create server files foreign data wrapper file_fdw;
                create foreign table "Lines" (line text) server files options (filename '/etc/hostname');
                """,
            expected: [
                "shop.public.\"Lines\"":
                    "the rows of foreign table shop.public.\"Lines\" are elsewhere: only its definition is dumped"
            ], severity: .note),
        Example(
            code: .extensionTableData,
            statements: """
                create extension hstore;
                create table kept (id int); insert into kept values (1); alter extension hstore add table kept;
                create table blank (id int); alter extension hstore add table blank;
                create table marked (id int); insert into marked values (1); alter extension hstore add table marked;
                update pg_extension set extconfig = array['marked'::regclass::oid], extcondition = array['']
                    where extname = 'hstore';
                """,
            expected: [
                "shop.public.kept":
                    "the rows of table shop.public.kept are not dumped: it belongs to extension 'hstore'"
            ]),
        Example(
            code: .tableInSystemSchema, statements: "create table information_schema.stray (id int)",
            expected: [
                "shop.information_schema.stray":
                    "table shop.information_schema.stray is not dumped: its schema belongs to the system"
            ]),
        Example(
            code: .tableRowsHidden, asSuperuser: false,
            statements: """
                alter table orders enable row level security;
                create table open (id int); alter table open enable row level security; alter table open owner to backup;
                """,
            expected: [
                "shop.public.orders":
                    "row-level security keeps role 'backup' from all rows of table shop.public.orders"
            ], severity: .failure),
        Example(
            code: .largeObjectsUnreadable, asSuperuser: false,
            statements: """
                select lo_from_bytea(4711, 'granted'), lo_from_bytea(4712, 'not'), lo_from_bytea(4713, 'not');
                grant select on large object 4711 to pg_read_all_data;
                """,
            expected: ["shop": "role 'backup' may not read 2 large objects of database 'shop', first 4712"],
            severity: .failure),
        Example(
            code: .sequencesOutsideSnapshot,
            statements: "create sequence one; create table t (id int generated always as identity)",
            expected: [
                "shop":
                    "2 sequences of database 'shop' dumped with later values than its tables: no snapshot holds them"
            ], severity: .note),
        Example(
            code: .subscriptionSkipped, asSuperuser: false,
            statements: "create subscription fed connection 'dbname=x' publication p with (connect = false)",
            expected: ["shop.fed": "subscription shop.fed is not dumped: role 'backup' is not a superuser"]),
        Example(
            code: .userMappingOptionsHidden, asSuperuser: false,
            statements: """
                create extension postgres_fdw; create server far foreign data wrapper postgres_fdw;
                create user mapping for postgres server far options (user 'reader', password 'hunter2');
                create user mapping for backup server far options (user 'reader');
                grant usage on foreign server far to backup;
                """,
            expected: [
                "shop.far.postgres":
                    "the user mapping of 'postgres' on server 'far' of database 'shop' is dumped without its options, "
                    + "such as a password: role 'backup' may not see them"
            ]),
        Example(
            code: .materializedViewRows,
            statements: """
                create materialized view summary as select 2 as two;
                create materialized view "All" as select 1 as one;
                create materialized view hollow as select 1 as one with no data;
                """,
            expected: [
                "shop": "2 materialized views of database 'shop' dumped without rows, first public.\"All\": "
                    + "a restore computes them again"
            ], severity: .note),
        Example(
            code: .indexInvalid,
            statements: """
                create table broken (id int); create unique index kept_out on broken (id);
                create index slow on broken (id);
                update pg_index set indisvalid = false where indexrelid in ('kept_out'::regclass, 'slow'::regclass);
                """,
            expected: [
                "shop.public.kept_out": "unique index shop.public.kept_out is invalid, and not dumped",
                "shop.public.slow": "index shop.public.slow is invalid, and not dumped",
            ]),
        Example(
            code: .objectInSystemSchema,
            statements: """
                create function pg_catalog.text(integer) returns text immutable language sql
                    as 'select textin(int4out($1))';
                create type information_schema.colour as enum ('red');
                create view information_schema.seen as select 1 as one;
                """,
            expected: [
                "shop.pg_catalog.text(integer)":
                    "function shop.pg_catalog.text(integer) is not dumped: its schema belongs to the system",
                "shop.information_schema.colour":
                    "type shop.information_schema.colour is not dumped: its schema belongs to the system",
                "shop.information_schema.seen":
                    "view shop.information_schema.seen is not dumped: its schema belongs to the system",
            ]),
        Example(
            code: .extensionVersion, statements: "create extension if not exists file_fdw; create extension tcn",
            expected: [
                "shop": "2 extensions of database 'shop' dumped without version: file_fdw 1.0, tcn 1.0"
            ], severity: .note),
        Example(
            code: .serverFiles,
            statements: """
                create text search dictionary stop (template = simple, stopwords = english);
                create text search dictionary words
                    (template = ispell, dictfile = ispell_sample, afffile = ispell_sample);
                create function own(text) returns int language c as '$libdir/citext', 'citext_hash';
                """,
            expected: [
                "shop.public.words":
                    "the files of text search dictionary shop.public.words are on the server's host only: "
                    + "dictfile = 'ispell_sample', afffile = 'ispell_sample'",
                "shop.$libdir/citext":
                    "library $libdir/citext is on the server's host only: 1 function of database 'shop' need it",
            ], severity: .note),
        Example(
            code: .damagedPagesSkipped, statements: "alter role postgres in database shop set zero_damaged_pages = on",
            expected: [
                "shop":
                    "zero_damaged_pages is on in database 'shop': rows of damaged pages are left out, and nothing fails"
            ]),
        Example(
            code: .replicationSlot, statements: "select pg_create_physical_replication_slot('standby_1')",
            expected: ["standby_1": "replication slot 'standby_1' (physical) is in no dump"], severity: .note),
    ]

    @Test("What a dump leaves out is foretold and recorded, and not before there is such a thing", arguments: examples)
    func omitted(example: Example) async throws {
        try await ClusterFixture.withShop { cluster in
            try await cluster.createBackupRole()
            let provider = example.asSuperuser ? cluster.provider() : cluster.backupProvider()
            #expect(try await cluster.omissions(example.code, provider) == [])

            try await cluster.server.psql(example.statements, in: example.database)
            let found = try await cluster.omissions(example.code, provider)
            #expect(Dictionary(uniqueKeysWithValues: found.map { ($0.object, $0.message) }) == example.expected)
            #expect(found.allSatisfy { $0.severity == example.severity && $0.hint?.hasSuffix(".") == true })

            let run = TestRun()
            try await run.prepared(provider) { source in
                if example.severity < .failure {
                    let summary = try await run.dump(source, into: cluster.newDirectory())
                    #expect(summary.omissions.filter { $0.code == example.code.rawValue } == found)
                } else {
                    let error = try await dumpError { _ = try await run.dump(source, into: cluster.newDirectory()) }
                    #expect(error.code == .omissionNotAllowed)
                    #expect(error.message == found.first?.message)
                }
            }
        }
    }

    @Test("A role that may do more is told of nothing")
    func privileges() async throws {
        try await ClusterFixture.withShop { cluster in
            try await cluster.createBackupRole()
            for example in Self.examples where !example.asSuperuser {
                try await cluster.server.psql(example.statements, in: "shop")
                #expect(try await cluster.omissions(example.code, cluster.provider()) == [])
            }
            try await cluster.server.psql("alter role backup bypassrls")
            try await cluster.server.psql(
                "grant select on large object 4712, 4713 to backup", in: "shop")
            #expect(try await cluster.omissions(.tableRowsHidden, cluster.backupProvider()) == [])
            #expect(try await cluster.omissions(.largeObjectsUnreadable, cluster.backupProvider()) == [])
        }
    }

    @Test("A table of an extension that someone has locked may hold rows, and nobody waits for it")
    func lockedExtensionTable() async throws {
        try await ClusterFixture.withShop { cluster in
            try await cluster.server.psql(
                "create extension hstore; create table blank (id int); alter extension hstore add table blank",
                in: "shop")
            #expect(try await cluster.omissions(.extensionTableData, cluster.provider()) == [])
            try await cluster.whileLocked("blank", in: "shop") {
                let found = try await cluster.omissions(.extensionTableData, cluster.provider())
                #expect(found.map(\.object) == ["shop.public.blank"])
            }
        }
    }

    @Test("A transaction that is prepared is in no dump, and those of other databases are not its concern")
    func preparedTransaction() async throws {
        try await ClusterFixture.withShop(settings: ["max_prepared_transactions = 5"]) { cluster in
            let provider = cluster.provider { $0.include = ["shop"] }
            #expect(try await cluster.omissions(.preparedTransaction, provider) == [])
            for (database, table) in [("shop", "customers (id)"), ("app", "settings (name)")] {
                try await cluster.server.psql(
                    "begin; insert into \(table) values (9); prepare transaction 'left in \(database)'", in: database)
            }
            let found = try await cluster.omissions(.preparedTransaction, provider)
            #expect(found.map(\.object) == ["left in shop"])
            let message = try #require(found.first).message
            #expect(message.hasPrefix("transaction 'left in shop' of database 'shop' has been prepared since 20"))
            let summary = try await TestRun().dump(provider, into: cluster.newDirectory())
            #expect(found.allSatisfy(summary.omissions.contains))
            #expect(summary.databases[0].tables.map(\.rows) == [3, 20000])

            try await cluster.server.psql("rollback prepared 'left in shop'", in: "shop")
            #expect(try await cluster.omissions(.preparedTransaction, provider) == [])
        }
    }

    @Test(
        "What comes between prepare and the freeze is recorded, whether it is committed or prepared",
        arguments: [
            (
                "prepared_transaction", "begin; insert into customers (id) values (9); prepare transaction 'late'",
                "late"
            ),
            (
                "object_in_system_schema",
                "create function information_schema.late() returns int language sql return 1",
                "shop.information_schema.late()"
            ),
            (
                "grant_to_missing_role",
                """
                grant select on orders to gone; delete from pg_shdepend where refobjid = 'gone'::regrole;
                delete from pg_authid where rolname = 'gone'
                """, "table shop.public.orders"
            ),
        ])
    func late(code: String, statements: String, object: String) async throws {
        try await ClusterFixture.withShop(settings: ["max_prepared_transactions = 5"]) { cluster in
            try await cluster.server.psql("create role gone")
            let run = TestRun()
            try await run.prepared(cluster.provider { $0.include = ["shop"] }) { source in
                #expect(!source.omissions.contains { $0.code == code })
                try await cluster.server.psql(statements, in: "shop")
                let summary = try await run.dump(source, into: cluster.newDirectory())
                #expect(summary.omissions.filter { $0.code == code }.map(\.object).contains(object))
            }
        }
    }

    @Test("What prepare was told is asked again only when something was committed since", arguments: [false, true])
    func askedOnce(isBusy: Bool) async throws {
        let settings = ["logging_collector = on", "log_filename = 'statements'", "log_statement = all"]
        try await ClusterFixture.withShop(settings: settings) { cluster in
            let run = TestRun()
            try await run.prepared(cluster.provider { $0.include = ["shop"] }) { source in
                if isBusy { try await cluster.server.psql("insert into settings values ('b')", in: "app") }
                _ = try await run.dump(source, into: cluster.newDirectory())
            }
            let statements = try read(cluster.server.directory.appending("data/log/statements"))
            #expect(statements.split(separator: "aclexplode(acl)").count - 1 == (isBusy ? 2 : 1))
        }
    }

    @Test("On a standby, unlogged tables have no rows to dump")
    func standby() async throws {
        try await StandbyFixture.with(template: .shop) { host in
            try await host.primary.server.psql(
                "create unlogged table fleeting (id int); insert into fleeting values (1)", in: "shop")
            try await host.catchUp()
            let primary = host.primary.provider { $0.include = ["shop"] }
            #expect(try await host.primary.omissions(.unloggedTableOnStandby, primary) == [])

            let standby = host.standby.provider { $0.include = ["shop"] }
            let found = try await host.standby.omissions(.unloggedTableOnStandby, standby)
            #expect(found.map(\.object) == ["shop.public.fleeting"])
            #expect(
                found.map(\.message) == [
                    "the rows of table shop.public.fleeting are not on this standby: it is unlogged"
                ])
            let summary = try await TestRun().dump(standby, into: host.standby.newDirectory())
            #expect(found.allSatisfy(summary.omissions.contains))
            #expect(summary.databases[0].tables.map(\.name) == ["customers", "orders"])
        }
    }

    @Test("The directory of a tablespace must be made again by hand")
    func tablespace() async throws {
        try await ClusterFixture.with { cluster in
            #expect(try await cluster.omissions(.tablespaceDirectory, cluster.provider()) == [])
            let place = cluster.server.directory.appending("fast")
            try FileSystem.createDirectory(place)
            try GivenDirectory(place).give(to: #require(UserAccount(named: PostgreSQLServer.user)))
            try await cluster.server.psql("create tablespace fast location '\(place)'")
            let found = try await cluster.omissions(.tablespaceDirectory, cluster.provider())
            #expect(
                found.map(\.message) == ["tablespace 'fast' is dumped by name: its directory \(place) is not"])
        }
    }

    @Test("Passwords of roles that the role may not read are left out, and told apart from what it may read")
    func passwords() async throws {
        try await ClusterFixture.with { cluster in
            try await cluster.createBackupRole()
            #expect(try await cluster.omissions(.rolePasswordsUnreadable, cluster.backupProvider()) == [])
            try await cluster.server.psql("revoke pg_read_all_data from backup")
            let found = try await cluster.omissions(.rolePasswordsUnreadable, cluster.backupProvider())
            #expect(found.map(\.object) == ["backup"])
        }
    }

    @Test("Optimizer statistics are left out by clients before 18, and asked for from then on")
    func statistics() async throws {
        try await ClusterFixture.with { cluster in
            let version = try await cluster.server.psql("show server_version")
            let found = try await cluster.omissions(.optimizerStatistics, cluster.provider())
            let isOld = try #require(Int(version.prefix { $0.isNumber })) < 18
            #expect(found.map(\.object) == (isOld ? ["pg_dump"] : []))
            #expect(found.allSatisfy { $0.message.hasSuffix(" does not dump optimizer statistics") })

            let directory = try cluster.clientPrograms(claiming: "18.1")
            let newer = cluster.provider { $0.binDirectory = directory }
            #expect(try await cluster.omissions(.optimizerStatistics, newer) == [])
            let run = TestRun()
            try await run.dump(newer, into: cluster.newDirectory())
            let whole = cluster.provider {
                $0.binDirectory = directory
                $0.layout = .cluster
            }
            try await run.dump(whole, into: cluster.newDirectory("whole"))
            let asked = try FileSystem.names(in: cluster.server.directory).map(\.string).filter {
                $0.hasPrefix("asked")
            }
            #expect(asked.sorted() == ["asked.pg_dump", "asked.pg_dumpall"])

            try await cluster.server.psql(
                "create table t (a int, b int); create statistics s (dependencies) on a, b from t")
            let extended = try await cluster.omissions(.optimizerStatistics, newer)
            #expect(
                extended.map(\.message) == [
                    "pg_dump 18.1 dumps 1 extended statistics object of database 'postgres' without data"
                ])
        }
    }
}

extension ClusterFixture {
    /// The omissions of one kind that prepare foretells.
    func omissions(_ code: OmissionCode, _ provider: PostgreSQLProvider) async throws -> [Finding] {
        try await TestRun().prepared(provider) { source in source.omissions.filter { $0.code == code.rawValue } }
    }

    /// A role that may read every table and is not a superuser.
    func createBackupRole() async throws {
        try await server.psql("create role backup login password 'backup-password' in role pg_read_all_data")
    }

    /// The client programs of this machine, which say that they are of another version and understand what that one does.
    func clientPrograms(claiming version: String) throws -> FilePath {
        let directory = scratch.appending("bin\(version)")
        try FileSystem.createDirectory(directory, mode: 0o755)
        for name in ["pg_dump", "pg_dumpall", "pg_restore"] {
            let script = """
                #!/bin/bash
                [ "$1" = --version ] && echo '\(name) (PostgreSQL) \(version)' && exit
                case " $* " in *" --statistics "*) touch \(server.directory)/asked.\(name);; esac
                set -- "${@/#--statistics/--verbose}"
                exec \(PostgreSQLServer.binDirectory)/\(name) "${@/#--compress=none/--compress=0}"

                """
            try write(script, to: directory.appending(name), mode: FilePermissions(rawValue: 0o755))
        }
        return directory
    }

    func backupProvider(_ change: (inout PostgreSQLSettings) -> Void = { _ in }) -> PostgreSQLProvider {
        provider(password: Secret("backup-password")) {
            $0.connection = server.connection(as: "backup")
            $0.runAs = nil
            change(&$0)
        }
    }
}
