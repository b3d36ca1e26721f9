import DumpCore
import Linux
import SystemPackage
import TestSupport
import Testing

@testable import PostgreSQL

@Suite("A database of everything")
struct GenerationTests {
    @Test("comes back as it was, and its second generation equals the first to the byte")
    func generations() async throws {
        // The usual compression would take longer than all else.
        try await ClusterFixture.with(settings: ["default_toast_compression = lz4"]) { cluster in
            try await cluster.createRecorded()
            try await cluster.addEverythingElse()
            let first = try await cluster.restore(cluster.taken("one") { $0.include = ["rich"] }) {
                $0.items = ["rich"]
                $0.placement = .named("first")
            }
            #expect(first.isProven && first.items[0].comparison.notCompared.isEmpty, "\(first.items)")
            let second = try await cluster.restore(cluster.taken("two") { $0.include = ["first"] }) {
                $0.items = ["first"]
                $0.placement = .named("second")
            }
            #expect(second.isProven)
            let scripts = [try await cluster.script(of: "first"), try await cluster.script(of: "second")]
            #expect(try FileSystem.status(of: scripts[0]).bytes > 250 << 20, "the large text is there")
            let compared = try await runProgram("cmp", scripts.map(\.string))
            #expect(compared.succeeded, "\(compared.lastErrors)")
        }
    }
}

extension ClusterFixture {
    /// What the database `rich` lacks of what PostgreSQL has.
    fileprivate func addEverythingElse() async throws {
        try await server.psql(
            #"""
            create table made (id int generated always as identity, doubled int generated always as (half * 2) stored, half int);
            insert into made (half) values (1), (2);
            create type span as range (subtype = float8);
            create table spans (during tstzrange, of_floats span, exclude using gist (during with &&));
            insert into spans values ('[2026-01-01, 2026-02-01)', '[1.5,2.5]');
            create table egg (id int primary key, hen int); create table hen (id int primary key, egg int references egg);
            insert into egg values (1, 1); insert into hen values (1, 1);
            alter table egg add foreign key (hen) references hen deferrable initially deferred;
            create unlogged table scratch as select 1 as n;
            create collation swedish (provider = icu, locale = 'sv');
            create table names (name text collate swedish); insert into names values ('Ångström'), (null), ('');
            create index on names (lower(name));
            create view v1 with (security_barrier) as select * from names with local check option;
            create view v2 as select * from v1;
            create function stable_sum(a int, variadic b int[]) returns int language sql stable as 'select a + b[1]';
            create aggregate total (int) (sfunc = int4pl, stype = int, initcond = '0');
            create operator === (leftarg = int, rightarg = int, function = int4eq);
            create text search configuration plain (copy = simple);
            grant select on names to reader with grant option; grant update (name) on names to "App User";
            alter table names enable row level security; alter table names force row level security;
            create policy few on names for select to reader using (name is not null);
            alter table orders cluster on orders_pkey; alter table orders replica identity full;
            alter table orders alter column item set storage external, alter column item set statistics 500;
            comment on column orders.item is E'what\\is "ordered"\n';
            create table long as select repeat('muster ', (250 << 20) / 7 + 1) as text
            """#, in: "rich")
    }

    /// What pg_dump makes of a database, on its server's disk.
    fileprivate func script(of database: String) async throws -> FilePath {
        let path = server.directory.appending("\(database).sql")
        try await PostgreSQLServer.run(
            "pg_dump", ["--restrict-key=x", "-f", path.string, "-d", server.connection + " dbname=\(database)"],
            in: PostgreSQLServer.binDirectory)
        return path
    }
}
