import Conformance
import DumpCore
import Linux
import TestSupport
import Testing

@testable import PostgreSQL

@Suite("Sessions")
struct SessionTests {
    @Test("A session reads only, in UTF-8, with nothing but pg_catalog in reach, whatever its role is set to")
    func settled() async throws {
        try await ClusterFixture.with { cluster in
            try await cluster.server.psql(
                "alter role postgres set statement_timeout = '200ms'; alter role postgres set search_path = public")
            let session = try await connect(cluster)
            let row = try await session.row(
                """
                select current_setting('search_path') as path, current_setting('client_encoding') as encoding,
                       pg_sleep(0.5)::text as slept, null::text as nothing
                """)
            #expect(try row.text("path") == "pg_catalog")
            #expect(try row.text("encoding") == "UTF8")
            #expect(try row.optionalText("nothing") == nil)
            #expect(throws: DumpError.self) { try row.text("nothing") }
            #expect(throws: DumpError.self) { try row.integer("path") }
            #expect(throws: DumpError.self) { try row.flag("encoding") }
            #expect(throws: DumpError.self) { try row.text("no such column") }

            let error = try await dumpError { _ = try await session.query("create table public.t ()") }
            #expect(error.context["sqlstate"] == "25006")
            #expect(
                error.message
                    == "database 'postgres' as 'postgres' answered: cannot execute CREATE TABLE in a read-only transaction"
            )
            let echoed = try await session.row("select $1 as one, $2::text is null as two", ["it's", nil])
            #expect(try echoed.text("one") == "it's")
            #expect(try echoed.flag("two"))
            await session.close()
            let closed = try await dumpError { _ = try await session.query("select 1") }
            #expect(closed.message == "the connection to database 'postgres' as 'postgres' is closed")
        }
    }

    /// What the owner of a database may have every session in it do.
    private static let settingsOfOwner = [
        "role = mallory", "search_path = public, pg_catalog", "statement_timeout = '1ms'", "lock_timeout = '1ms'",
        "default_transaction_isolation = serializable", "default_transaction_deferrable = on",
        "client_encoding = latin1", "datestyle = 'SQL, DMY'", "row_security = off", "bytea_output = escape",
        "quote_all_identifiers = on", "standard_conforming_strings = off", "xmloption = document",
        "idle_in_transaction_session_timeout = '1ms'",
    ]

    @Test("The owner of a database does not choose as which role, how long and in which encoding it is dumped")
    func settingsOfDatabase() async throws {
        try await ClusterFixture.withShop { cluster in
            try await cluster.server.psql("create role mallory")
            try await cluster.server.psql(
                """
                insert into customers values (4, U&'\\20ac');
                create function public.current_setting(text) returns text language sql as $$select 'none'::text$$;
                """, in: "shop")
            for database in ["shop", "postgres"] {
                for setting in Self.settingsOfOwner {
                    try await cluster.server.psql("alter database \(database) set \(setting)", in: "app")
                }
            }
            let session = try await connect(cluster)
            #expect(try await session.row("select current_user::text as role").text("role") == "postgres")
            await session.close()

            let directory = try cluster.newDirectory()
            let summary = try await TestRun().dump(cluster.provider(), into: directory)
            let shop = try #require(summary.databases.first { $0.name == "shop" })
            #expect(shop.tables.map(\.rows).sorted() == [4, 20000])
            let texts = try FileTree(directory).entries().filter { $0.path.string.hasSuffix(".dat") }
                .map { try read(directory.pushing($0.path)) }
            #expect(texts.contains { $0.contains("4\t\u{20ac}\n") })
        }
    }

    @Test("A role that the operator has chosen is the one that dumps")
    func roleOfOperator() async throws {
        try await ClusterFixture.with { cluster in
            try await cluster.server.psql(
                "create role backup; alter database postgres set role = postgres")
            for (options, expected) in [
                ("", "postgres"), (" options='-c role=backup'", "backup"), (" options=--role=backup", "backup"),
            ] {
                #expect(try await role(cluster, options) == expected)
            }
            try await cluster.server.psql("alter role postgres set role = backup")
            #expect(try await role(cluster, "") == "backup")
            let summary = try await TestRun().dump(cluster.provider(), into: cluster.newDirectory())
            #expect(summary.omissions.contains { $0.code == "role_passwords_unreadable" })
        }
    }

    private func role(_ cluster: ClusterFixture, _ options: String) async throws -> String {
        let session = try await Session.connect(
            ConnectionOptions(parsing: cluster.server.connection + " dbname=postgres" + options), password: nil,
            as: UserAccount(named: PostgreSQLServer.user))
        let name = try await session.row("select current_user::text as role").text("role")
        await session.close()
        return name
    }

    @Test("Cancelling a question ends it on the server")
    func cancelled() async throws {
        try await ClusterFixture.with { cluster in
            let session = try await connect(cluster)
            let task = Task { try await session.query("select pg_sleep(600)") }
            let running =
                "select count(*) from pg_stat_activity where query = 'select pg_sleep(600)' and state = 'active'"
            try await eventually { try await cluster.server.psql(running) == "1" }
            task.cancel()
            #expect(try await dumpError { _ = try await task.value }.code == .cancelled)
            try await eventually { try await cluster.server.psql(running) == "0" }
        }
    }

    @Test("A question without an answer is given up after its limit, and the connection with it")
    func limit() async throws {
        try await ClusterFixture.with { cluster in
            let session = try await connect(cluster)
            let error = try await dumpError {
                _ = try await session.query("select pg_sleep(600)", limit: .milliseconds(200))
            }
            #expect(error.message == "database 'postgres' as 'postgres' did not answer in time")
            #expect(try await dumpError { _ = try await session.query("select 1") }.message.hasSuffix("is closed"))
        }
    }

    @Test(
        "A server that sends without end is neither kept in memory nor waited for",
        arguments: [
            ("select repeat('x', 1 << 20) from generate_series(1, 1000000)", "answers with more than 512 MiB"),
            ("do $$ begin loop raise notice 'x'; end loop; end $$", "answers with more than 10000 notices"),
        ])
    func endless(statement: String, message: String) async throws {
        try await ClusterFixture.with { cluster in
            let session = try await connect(cluster)
            let error = try await dumpError { _ = try await session.query(statement) }
            #expect(error.message == "database 'postgres' as 'postgres' \(message)")
            #expect(try await dumpError { _ = try await session.query("select 1") }.message.hasSuffix("is closed"))
        }
    }

    @Test("A server that sends all the time is given up after the limit like any other")
    func busy() async throws {
        try await ClusterFixture.with { cluster in
            let session = try await connect(cluster)
            let error = try await dumpError {
                _ = try await session.query("select generate_series(1, 100000000000)", limit: .milliseconds(300))
            }
            #expect(error.message == "database 'postgres' as 'postgres' did not answer in time")
        }
    }

    @Test("A connection that breaks is an error that says so")
    func broken() async throws {
        try await ClusterFixture.with { cluster in
            let session = try await connect(cluster)
            try await cluster.server.stop()
            let error = try await dumpError { _ = try await session.query("select 1") }
            #expect(error.code == .sourceUnavailable)
            #expect(try await dumpError { _ = try await session.query("select 1") }.message.hasSuffix("is closed"))
        }
    }

    private func connect(_ cluster: ClusterFixture) async throws -> Session {
        try await Session.connect(
            ConnectionOptions(parsing: cluster.server.connection + " dbname=postgres"), password: nil,
            as: UserAccount(named: PostgreSQLServer.user))
    }
}
