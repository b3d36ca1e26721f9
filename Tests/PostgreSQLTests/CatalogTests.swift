import Conformance
import DumpCore
import TestSupport
import Testing

@testable import PostgreSQL

@Suite("The catalog against the dump")
struct CatalogTests {
    /// What a pg_dump may leave out without a word, and what is said of it.
    enum Gap: String, CaseIterable {
        case table = "--exclude-table=orders"
        case rows = "--exclude-table-data=orders"
        case partition = "--exclude-table-data=parted_low"
        case rowsOfExtension = "--exclude-table-data=marked"
        case schema = "--exclude-schema='two words'"
        case partitionedTable = "--exclude-table=parted"
        case materializedView = "--exclude-table=summary"

        var lack: String {
            switch self {
            case .table, .rows: "rows of table public.orders"
            case .partition: "rows of table public.parted_low"
            case .rowsOfExtension: "rows of table public.marked"
            case .schema: "rows of table \"two words\".\"of rows\""
            case .partitionedTable: "definition of table public.parted"
            case .materializedView: "definition of table public.summary"
            }
        }
    }

    @Test("A table that pg_dump leaves out without a word fails the dump", arguments: Gap.allCases)
    func gap(gap: Gap) async throws {
        try await ClusterFixture.withShop { cluster in
            try await cluster.createShopWithEverything()
            let provider = cluster.provider {
                $0.include = ["shop"]
                $0.binDirectory = try? cluster.clientPrograms(pgDump: "$REAL/pg_dump \(gap.rawValue) \"$@\"")
            }
            let directory = try cluster.newDirectory()
            let error = try await dumpError { try await TestRun().dump(provider, into: directory) }
            #expect(
                error.description == """
                    the dump of database 'shop' is not complete: it lacks the \(gap.lack)
                      dump: app
                      file: \(directory)/databases/shop
                      database: shop
                      hint: Run it again. If that fails too, check the client programs and the disk of the staging area.
                    """)
        }
    }

    @Test("What is explained by an omission, or is no table of users, is not missed")
    func explained() async throws {
        try await ClusterFixture.withShop { cluster in
            try await cluster.createShopWithEverything()
            for example in OmissionTests.examples where example.asSuperuser {
                try await cluster.server.psql(example.statements, in: "app")
            }
            let summary = try await TestRun().dump(
                cluster.provider { $0.include = ["app", "shop"] }, into: cluster.newDirectory())
            #expect(
                summary.databases[1].tables.map(\.name) == [
                    "customers", "fleeting", "marked", "no_columns", "only_generated", "orders", "parted_low",
                    "of rows",
                ])
        }
    }

    @Test("Tables that come and go while the dump runs are not missed")
    func comingAndGoing() async throws {
        try await ClusterFixture.withShop { cluster in
            let psql = "psql -Xqt -d \"host='\(cluster.server.directory)' dbname=shop\""
            // Once pg_dump has locked the tables, it reads a catalog, and waits there. It goes on when the tables are known to be as they
            // were: the session that looks at them was there before, and is gone.
            let looks =
                "exists (select from pg_stat_activity where datname = 'shop' and application_name like '% tables')"
            let gate = """
                begin; lock pg_event_trigger;
                do $$ begin
                    while not exists (select from pg_locks where relation = 'pg_event_trigger'::regclass and not granted)
                        or \(looks)
                    loop
                        perform pg_sleep(0.01), pg_stat_clear_snapshot();
                    end loop;
                end $$;
                commit
                """
            let isShut =
                "select 'shut' from pg_locks where relation = 'pg_event_trigger'::regclass "
                + "and mode = 'AccessExclusiveLock' and \(looks)"
            let provider = cluster.provider {
                $0.include = ["shop"]
                $0.unwatched = .zero
                $0.binDirectory = try? cluster.clientPrograms(
                    pgDump: """
                        set -e
                        \(psql) -c 'create table late (id int)'
                        \(psql) <<'end' &
                        \(gate);
                        end
                        until \(psql) -c "\(isShut)" | grep -q shut; do :; done
                        $REAL/pg_dump "$@"
                        \(psql) -c 'drop table customers'
                        """
                )
            }
            let summary = try await TestRun().dump(provider, into: cluster.newDirectory())
            #expect(summary.databases[0].tables.map(\.name) == ["customers", "orders"])
            #expect(try await cluster.server.psql("select to_regclass('customers') is null", in: "shop") == "t")
        }
    }
}

extension ClusterFixture {
    /// Each kind of table in the database `shop`.
    fileprivate func createShopWithEverything() async throws {
        try await server.psql(
            """
            create table parted (id int) partition by range (id);
            create table parted_low partition of parted for values from (0) to (10);
            create materialized view summary as select count(*) from orders;
            create schema "two words"; create table "two words"."of rows" (id int);
            create unlogged table fleeting (id int);
            create table no_columns ();
            create table only_generated (a int generated always as (2) stored);
            create view seen as select * from orders;
            create extension hstore;
            create table marked (id int); insert into marked values (1); alter extension hstore add table marked;
            update pg_extension set extconfig = array['marked'::regclass::oid], extcondition = array['']
                where extname = 'hstore';
            """, in: "shop")
    }
}
