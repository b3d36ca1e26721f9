import Conformance
import DumpCore
import Linux
import SystemPackage
import TestSupport
import Testing

@testable import PostgreSQL

@Suite("What no restore takes")
struct UnrestorableTests {
    @Test("Grants to roles that are no more are left out, told, and keep no restore from its end")
    func missingGrantees() async throws {
        try await ClusterFixture.withShop { cluster in
            try await cluster.server.psql("create role gone; create role kept")
            try await cluster.server.psql(
                """
                grant select on orders to gone, kept; grant insert on customers to gone with grant option;
                set role gone; grant insert on customers to kept; reset role;
                grant usage on schema public to gone; grant connect on database shop to gone;
                alter default privileges grant select on tables to gone;
                """, in: "shop")
            let number = try await cluster.server.psql("select oid from pg_roles where rolname = 'gone'")
            try await cluster.server.psql(
                "delete from pg_shdepend where refobjid = \(number); delete from pg_authid where oid = \(number)")

            let directory = try cluster.newDirectory()
            let summary = try await TestRun().dump(cluster.provider { $0.include = ["shop"] }, into: directory)
            let told = summary.omissions.filter { $0.code == "grant_to_missing_role" }
            #expect(
                Set(told.map(\.object)) == [
                    "table shop.public.orders", "table shop.public.customers", "schema shop.public",
                    "database shop", "default acl for role postgres on tables of database shop",
                ])
            #expect(
                told.first { $0.object == "table shop.public.orders" }?.message
                    == "a privilege on table shop.public.orders, granted to or by role \(number) which does not exist, "
                    + "is left out of the dump")

            try await cluster.restoreShop(from: directory)
            let grants = "select relname, relacl from pg_class where relname in ('orders', 'customers') order by 1"
            #expect(
                try await cluster.server.psql(grants, in: "shop")
                    == "customers|{postgres=arwdDxt/postgres,kept=a/postgres}\n"
                    + "orders|{postgres=arwdDxt/postgres,kept=r/postgres}")
        }
    }

    @Test("Rows that break a foreign key are reported and come back, sound ones are not reported")
    func foreignKeys() async throws {
        try await ClusterFixture.withShop { cluster in
            try await cluster.server.psql(
                """
                create table parent (a int, b text, primary key (a, b));
                create table child (id int, a int, b text, constraint to_parent foreign key (a, b) references parent);
                create table late (a bigint, b text);
                insert into parent values (1, 'x'), (2, 'y');
                insert into child values (1, 1, 'x'), (2, null, 'z'), (3, 2, 'y');
                insert into late values (7, 'z');
                alter table late add constraint not_checked foreign key (a, b) references parent not valid;
                """, in: "shop")
            let provider = cluster.provider { $0.include = ["shop"] }
            #expect(try await TestRun().dump(provider, into: cluster.newDirectory("before")).findings == [])
            try await cluster.server.psql(
                "set session_replication_role = replica; delete from parent where a = 2; insert into child values (4, 9, 'n')",
                in: "shop")
            let directory = try cluster.newDirectory("after")
            #expect(
                try await TestRun().dump(provider, into: directory).findings == [
                    Finding(
                        .warning, "foreign_key_broken", object: "shop.public.child.to_parent",
                        "2 rows of table public.child of database 'shop' without its row in public.parent, which foreign key "
                            + "to_parent asks for: a restore makes that key NOT VALID",
                        hint:
                            "Mend the rows. In a restored database, mend them, then ALTER TABLE … VALIDATE CONSTRAINT.")
                ])

            try await cluster.restoreShop(from: directory)
            #expect(
                try await cluster.server.psql("select string_agg(id::text, ' ' order by id) from child", in: "shop")
                    == "1 2 3 4")
            #expect(
                try await cluster.server.psql(
                    "select conname, convalidated from pg_constraint where contype = 'f' order by 1", in: "shop")
                    == "not_checked|f\nto_parent|f")
            await #expect(throws: (any Error).self, "the key holds for new rows") {
                try await cluster.server.psql("insert into child values (5, 8, 'm')", in: "shop")
            }
        }
    }

    @Test("A foreign key is marked within the room of its statement, and only where that is understood")
    func markedKeys() {
        func marked(_ statement: String) -> String? {
            ArchiveForeignKeys.marked(Array(statement.utf8)).map { String(decoding: $0, as: UTF8.self) }
        }
        #expect(
            marked(
                "ALTER TABLE ONLY public.c\n    ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES public.p(id) DEFERRABLE;\n")
                == "ALTER TABLE public.c ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES public.p(id) DEFERRABLE NOT VALID;"
        )
        // A partitioned table takes no such key before PostgreSQL 18.
        #expect(marked("ALTER TABLE public.c\n    ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES public.p(id);\n") == nil)
        #expect(
            marked(
                "ALTER TABLE ONLY public.\"a\n    ADD CONSTRAINT b\"\n    ADD CONSTRAINT k FOREIGN KEY (p) REFERENCES p(id);\n"
            )
                == nil)
    }
}

extension ClusterFixture {
    /// Restores the database `shop` beside the one that was dumped, without a single error.
    fileprivate func restoreShop(from directory: FilePath) async throws {
        let copy = server.directory.appending("copy")
        try #require(try await runProgram("cp", ["-a", directory.string, copy.string]).succeeded)
        try #require(try await runProgram("chown", ["-R", PostgreSQLServer.user, copy.string]).succeeded)
        try await server.psql("alter database shop rename to before")
        try await PostgreSQLServer.run(
            "pg_restore",
            ["--exit-on-error", "--create", "-d", server.connection + " dbname=postgres", "\(copy)/databases/shop"])
    }
}
