import Conformance
import DumpCore
import PostgreSQL
import TestSupport
import Testing

@Suite("What users did to what is not theirs")
struct MembershipTests {
    @Test("Changes of an extension's members are not dumped, and what its scripts did is no news")
    func extensionMembers() async throws {
        try await ClusterFixture.withShop { cluster in
            func psql(_ statements: String) async throws { try await cluster.server.psql(statements, in: "shop") }
            try await psql(
                """
                create extension earthdistance cascade;
                create table kept (id int primary key, note text); create index of_extension on kept (note);
                create function remark() returns trigger language plpgsql as 'begin return new; end';
                create trigger of_extension before update on kept for each row execute function remark();
                alter extension earthdistance add table kept;
                """)
            try await psql("grant execute on function gc_to_sec(float8) to public; grant select on kept to public")
            try await psql("insert into kept values (1); analyze kept")
            #expect(try await cluster.omissions(.extensionMemberChanged, cluster.provider()) == [])

            try await psql("alter function ll_to_earth(float8, float8) set search_path = public")
            try await psql("alter table kept add column added int default 1")
            try await psql("create index mine on kept (note)")
            try await psql("alter table kept add constraint positive check (id > 0)")
            try await psql(
                "create trigger mine before update on kept for each row execute function remark()")
            let found = try await cluster.omissions(.extensionMemberChanged, cluster.provider())
            let objects = [
                "function shop.public.ll_to_earth(double precision,double precision)", "index shop.public.mine",
                "table constraint positive on shop.public.kept", "table column shop.public.kept.added",
                "trigger mine on shop.public.kept",
            ]
            #expect(
                Set(found.map(\.message))
                    == Set(
                        objects.map {
                            "\($0) was made or changed after extension 'earthdistance', which it belongs to: that is not dumped"
                        }))
        }
    }

    @Test("Very many alike are counted, not listed")
    func abridged() async throws {
        try await ClusterFixture.withShop { cluster in
            try await cluster.server.psql(
                """
                do $$ begin for i in 100..129 loop
                    execute format('create function pg_catalog.stray_%s() returns int language sql as $f$ select 1 $f$', i);
                end loop; end $$
                """, in: "shop")
            let found = try await cluster.omissions(.objectInSystemSchema, cluster.provider())
            #expect(found.count == 21)
            #expect(found.last?.message == "10 more in database 'shop' like those before")
        }
    }
}
