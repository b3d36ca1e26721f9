import Conformance
import DumpCore
import Linux
import SystemPackage
import TestSupport
import Testing

@testable import PostgreSQL

/// Ways in which what a table holds becomes invisible to an older snapshot, or another table takes its name.
enum TableChange: String, CaseIterable, Sendable, CustomTestStringConvertible {
    case truncated, rewritten, retyped, replaced, swapped, columnsSwapped, recreated, viewReplaced, restarted
    // pg_dump would get no definition of these, or another's.
    case indexMade, constraintMade, constraintChecked, triggerMade, functionMade, typeRenamed, valueRenamed,
        attributeAdded, statisticsMade

    var testDescription: String { rawValue }

    /// As one transaction: no other session ever sees the table empty or gone.
    var statements: String {
        switch self {
        case .truncated: "truncate prices; insert into prices select g, g from generate_series(1, 1000) g"
        case .rewritten:
            """
            alter table prices drop column if exists seen;
            alter table prices add column seen timestamptz default clock_timestamp()
            """
        case .retyped:
            "alter table prices alter id type text; alter table prices alter id type int using id::int"
        case .replaced:
            """
            create table filled as select * from prices;
            alter table prices rename to old; alter table filled rename to prices; drop table old
            """
        case .swapped:
            "alter table prices rename to p; alter table costs rename to prices; alter table p rename to costs"
        case .columnsSwapped:
            """
            alter table prices rename id to i; alter table prices rename price to id;
            alter table prices rename i to price
            """
        case .recreated:
            "drop table prices; create table prices as select g as id, g as price from generate_series(1, 1000) g"
        case .viewReplaced: "create or replace view cheap as select id, price from costs where price < -100"
        case .restarted: "alter sequence numbers restart"
        case .indexMade: "drop index by_price; create index by_price on prices (price)"
        case .constraintMade:
            "alter table prices drop constraint positive; alter table prices add constraint positive check (price > 0)"
        case .constraintChecked: "alter table costs validate constraint negative"
        case .triggerMade:
            """
            drop trigger watched on prices;
            create trigger watched before update on prices for each row execute function suppress_redundant_updates_trigger()
            """
        case .functionMade: "drop function one(); create function one() returns int language sql as 'select 1'"
        case .typeRenamed: "alter type mood rename to m; alter type pair rename to mood; alter type m rename to pair"
        case .valueRenamed:
            """
            alter type mood rename value 'glad' to 'g'; alter type mood rename value 'sad' to 'glad';
            alter type mood rename value 'g' to 'sad'
            """
        case .attributeAdded:
            """
            alter type pair drop attribute if exists c cascade; alter type pair add attribute c int cascade
            """
        case .statisticsMade: "drop statistics paired; create statistics paired on id, price from prices"
        }
    }
}

@Suite("Tables that change between the freeze and their dump")
struct TableChangeTests {
    @Test(
        "are dumped as they are in a new snapshot, which the moment shows, and fail a dump that must be exact",
        arguments: TableChange.allCases)
    func frozenAgain(change: TableChange) async throws {
        try await ClusterFixture.with(template: .prices) { cluster in
            let directory = try cluster.newDirectory()
            // Watched from its start, and in the second dump below looked at in its end.
            let watching = cluster.provider {
                $0.unwatched = .zero
                // With a second one, so that there is more than one database to be of one instant.
                $0.include = ["app", "shop"]
            }
            let summary = try await cluster.dump(watching, into: directory, change)
            #expect(summary.moment.kind == .window)
            #expect(summary.moment.evidence["frozen_again"] == "shop")
            let shop = try #require(summary.databases.first { $0.name == "shop" })
            #expect(shop.tables.first { $0.name == "prices" }?.rows == 1000)
            let rows = try await cluster.server.psql("copy prices to stdout", in: "shop").split(separator: "\n")
            #expect(try await cluster.rows(of: "prices", in: directory).sorted() == rows.map(String.init).sorted())
            for statement in [
                "CREATE INDEX by_price ON", "CONSTRAINT positive CHECK", "CREATE TRIGGER watched",
                "CREATE FUNCTION public.one()", "CREATE STATISTICS public.paired ON",
            ] where change != .replaced && change != .recreated {
                #expect(try await cluster.script(of: directory).contains(statement), "\(statement)")
            }

            // That can be done only once.
            if change == .constraintChecked { return }
            let exact = cluster.provider {
                $0.consistency = .exact
                $0.include = ["app", "shop"]
            }
            let error = try await dumpError {
                _ = try await cluster.dump(exact, into: cluster.newDirectory("exact"), change)
            }
            #expect(error.code.rawValue == "tables_changed")
            #expect(error.isTransient)
            #expect(error.message.contains("of database 'shop' was truncated, rewritten, renamed or dropped"))
            try await eventually { try await cluster.leftovers().isEmpty }
        }
    }

    @Test("are not taken for changed where something came into being beside them, or was granted, or analyzed")
    func nothingChanged() async throws {
        try await ClusterFixture.with(template: .prices) { cluster in
            let run = TestRun()
            let summary = try await run.prepared(cluster.provider()) { source in
                let frozen = try await source.freeze(in: run.context)
                try await cluster.server.psql(
                    """
                    create table later as select * from prices; create index on costs (id);
                    alter type mood add value 'angry'; create temp table passing (mood mood);
                    grant select on prices to public; insert into prices values (1001, 1);
                    alter table prices disable trigger watched; analyze; reindex table prices;
                    """, in: "shop")
                let summary = await Result { try await frozen.dump(into: cluster.newDirectory(), in: run.context) }
                await frozen.release()
                return try summary.get()
            }
            #expect(summary.moment.kind == .exact, "\(summary.moment)")
            #expect(summary.moment.evidence["frozen_again"] == nil)
            let shop = try #require(summary.databases.first { $0.name == "shop" })
            #expect(shop.tables.first { $0.name == "prices" }?.rows == 1000)
        }
    }

    @Test("leave a dump of a single database exact")
    func single() async throws {
        try await ClusterFixture.with(template: .prices) { cluster in
            let provider = cluster.provider {
                $0.include = ["shop"]
                $0.consistency = .exact
            }
            let summary = try await cluster.dump(provider, into: cluster.newDirectory(), .truncated)
            #expect(summary.moment.kind == .exact)
            #expect(summary.moment.evidence["frozen_again"] == "shop")
            #expect(summary.databases.first?.tables.first { $0.name == "prices" }?.rows == 1000)
        }
    }

    @Test("without pause are dumped whole, or fail the dump")
    func withoutPause() async throws {
        try await ClusterFixture.with(template: .prices) { cluster in
            let reloading = Task {
                try await cluster.server.psql(
                    """
                    do $$ begin
                        perform set_config('application_name', 'reloader', false);
                        loop
                            truncate prices; insert into prices select g, g from generate_series(1, 1000) g; commit;
                        end loop;
                    end $$
                    """, in: "shop")
            }
            let file = "select pg_relation_filenode('prices')"
            let before = try await cluster.server.psql(file, in: "shop")
            try await eventually { try await cluster.server.psql(file, in: "shop") != before }
            for round in 1...3 {
                do {
                    let summary = try await TestRun().dump(
                        cluster.provider { $0.include = ["shop"] }, into: cluster.newDirectory("dump \(round)"))
                    #expect(summary.databases.first?.tables.first { $0.name == "prices" }?.rows == 1000)
                } catch let error as DumpError {
                    #expect(error.code == .tablesChanged && error.isTransient, "\(error)")
                    #expect(error.hint?.hasPrefix("The database was frozen again 4 times") == true)
                }
            }
            let after = try await cluster.server.psql(file, in: "shop")
            try await eventually { try await cluster.server.psql(file, in: "shop") != after }
            try await cluster.server.psql(
                "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'reloader'")
            // Its connection was cut, which psql reports.
            _ = await reloading.result
        }
    }
}

@Suite("Tables that change while pg_dumpall runs")
struct ClusterTableTests {
    @Test("fail the dump when they are empty in its script, and only then", arguments: [true, false])
    func cluster(isEmpty: Bool) async throws {
        try await ClusterFixture.with(template: .prices) { cluster in
            let sql = "$REAL/psql -q '\(cluster.server.connection) dbname=shop' -c"
            let fill = "\(sql) 'insert into prices select g, g from generate_series(1, 1000) g'"
            let script = ["\(sql) 'truncate prices'", "$REAL/pg_dumpall \"$@\""]
            let provider = cluster.provider {
                $0.layout = .cluster
                $0.binDirectory = try? cluster.clientPrograms(
                    pgDump: "exec $REAL/pg_dump \"$@\"",
                    pgDumpAll: (isEmpty ? [script[0], script[1], fill] : [script[0], fill, script[1]])
                        .joined(separator: " && "))
            }
            guard isEmpty else {
                let summary = try await TestRun().dump(provider, into: cluster.newDirectory())
                return #expect(summary.moment.kind == .window)
            }
            let error = try await dumpError { try await TestRun().dump(provider, into: cluster.newDirectory()) }
            #expect(error.isTransient)
            #expect(
                error.message
                    == "public.prices of database 'shop' was truncated, rewritten, renamed or dropped after the "
                    + "freeze: pg_dump would not find what the snapshot shows")
        }
    }

    @Test("An empty table is found in the section of its database, by its name alone")
    func search() {
        typealias Table = EmptyTableSearch.Table
        let text = """
            -- Database "one" dump
            COPY public.a (x) FROM stdin;
            1
            \\.
            COPY public.ab (x) FROM stdin;
            \\.
            -- Database "two" dump
            COPY public.a (x) FROM stdin;
            \\.

            """
        var search = EmptyTableSearch(
            for: [
                Table(database: "one", name: "public.a"), Table(database: "two", name: "public.a"),
                Table(database: "two", name: "public.ab"),
            ])
        for byte in Array(text.utf8) { withUnsafeBytes(of: byte) { search.take($0) } }
        #expect(search.found == [Table(database: "two", name: "public.a")])
    }
}

extension ClusterFixture {
    /// A dump before whose first pg_dump, after the freeze, `shop` changes.
    fileprivate func dump(
        _ provider: PostgreSQLProvider, into directory: FilePath, _ change: TableChange
    ) async throws -> DumpSummary {
        let run = TestRun()
        return try await run.prepared(provider) { source in
            let frozen = try await source.freeze(in: run.context)
            try await server.psql("begin; \(change.statements); commit", in: "shop")
            let summary = await Result { try await frozen.dump(into: directory, in: run.context) }
            await frozen.release()
            return try summary.get()
        }
    }

    /// The dump of `shop` as a script.
    fileprivate func script(of directory: FilePath, _ options: String...) async throws -> String {
        let script = try await runProgram(
            "\(PostgreSQLServer.binDirectory)/pg_restore",
            options + ["--file=-", directory.appending("databases/shop").string])
        #expect(script.succeeded, "\(script.lastErrors)")
        return String(decoding: script.output, as: UTF8.self)
    }

    /// The rows of a table of `shop`, as its dump has them.
    fileprivate func rows(of table: String, in directory: FilePath) async throws -> [String] {
        let script = try await script(of: directory, "--data-only", "--table=\(table)")
        let lines = script.split(separator: "\n").map(String.init)
        return Array(lines.drop { !$0.hasPrefix("COPY ") }.dropFirst().prefix { $0 != "\\." })
    }
}

extension Template {
    /// The shop, and in it what changes.
    fileprivate static let prices = Template.cluster(
        shopStatements + [
            (
                "shop",
                """
                create table prices as select g as id, g as price from generate_series(1, 1000) g;
                create table costs as select 0 as id, -g as price from generate_series(1, 1000) g;
                create view cheap as select id, price from costs where price < -10;
                create sequence numbers; select setval('numbers', 7);
                create index by_price on prices (price);
                alter table prices add constraint positive check (price > 0);
                alter table costs add constraint negative check (price < 0) not valid;
                create trigger watched before update on prices for each row
                    execute function suppress_redundant_updates_trigger();
                create function one() returns int language sql as 'select 1';
                create type mood as enum ('glad', 'sad');
                create table moods (mood mood); insert into moods values ('glad');
                create type pair as (a int, b int); create table pairs (pair pair); insert into pairs values (row(1, 2));
                create statistics paired on id, price from prices
                """
            )
        ])
}

extension Result where Failure == any Error {
    init(_ body: () async throws -> Success) async {
        do { self = .success(try await body()) } catch { self = .failure(error) }
    }
}
