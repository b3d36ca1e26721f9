import Conformance
import DumpCore
import TestSupport
import Testing

@testable import PostgreSQL

@Suite("Roles of a restore")
struct RestoreRolesTests {
    @Test("Missing roles are created with their passwords and groups, and no other role is touched")
    func missing() async throws {
        try await withTwoClusters { source, target in
            try await source.createOwnedShop()
            let dump = try await source.taken()
            try await target.server.psql("create role other; create role reader superuser")
            let before = try await target.inventory()
            let outcome = try await target.restore(dump) { $0.items = ["shop"] }
            let added = Set(try await target.inventory()).subtracting(before)
            let password = "select rolpassword from pg_authid where rolname = 'app user'"
            #expect(try await target.server.psql(password) == source.server.psql(password))
            #expect(Set(before).isSubset(of: try await target.inventory()))
            #expect(added.filter { $0.hasPrefix("role ") }.count == 2)
            #expect(
                added.filter { $0.hasPrefix("member ") }.sorted() == [
                    "member reader \"app user\"", "member staff \"app user\"",
                ])
            #expect(outcome.findings.map(\.object) == ["app user", "staff"])
            #expect(outcome.findings.allSatisfy { $0.code == "role_created" })
        }
    }

    @Test("A role that differs from the dumped one is told before the restore, and stays as it is")
    func differing() async throws {
        try await withTwoClusters { source, target in
            try await source.createOwnedShop()
            let dump = try await source.taken()
            try await target.server.psql("create role reader superuser connection limit 4")
            let findings = try await target.prepared(dump) { $0.items = ["shop"] }.findings
            let finding = try #require(findings.first { $0.code == "role_differs" })
            #expect(
                finding.message
                    == "role 'reader' is not as it was dumped: it has superuser; its connection limit is 4 and was -1")
            #expect(findings.filter { $0.code == "role_created" }.map(\.object) == ["app user"])
        }
    }

    @Test("An existing role does not become a member of a new one, and the restore says how it would")
    func membership() async throws {
        try await withTwoClusters { source, target in
            try await source.createOwnedShop()
            let dump = try await source.taken()
            try await target.server.psql("create role \"app user\"")
            let outcome = try await target.restore(dump) { $0.items = ["shop"] }
            let left = try #require(outcome.findings.first { $0.code == "membership_left_out" })
            #expect(left.hint == "If it is to be, run: GRANT reader TO \"app user\"")
            #expect(
                try await target.server.psql("select count(*) from pg_auth_members where member >= 16384") == "0")
        }
    }

    @Test("A server with nothing of its own gets all roles and tablespaces, with the bootstrap role's settings")
    func emptyServer() async throws {
        try await withTwoClusters { source, target in
            try await source.createOwnedShop()
            try await source.createTablespace("fast")
            try await source.server.psql("create role unused; alter role all set work_mem = '6MB'")
            try await source.server.psql(
                "create table far (id int) tablespace fast; insert into far values (1)", in: "shop")
            let dump = try await source.taken()
            let location = source.server.directory.appending("fast")
            #expect(
                try await target.prepared(dump) { $0.placement = .replacing }.findings.first?.code
                    == "tablespace_directory_taken")
            try await source.server.stop()
            _ = try await runProgram("rm", ["-rf", location.string])
            #expect(
                try await target.prepared(dump) { $0.placement = .replacing }.findings.first?.hint
                    == "On the server's host, run: install -d -o postgres -m 700 \(location)")
            _ = try await runProgram("install", ["-d", "-o", "postgres", "-m", "700", location.string])
            let outcome = try await target.restore(dump) { $0.placement = .replacing }
            #expect(outcome.items.map(\.name) == ["postgres", "shop", "template1"])
            #expect(outcome.items.map { $0.kept == nil } == [false, true, false])
            #expect(try await target.server.psql("select * from far", in: "shop") == "1")
            #expect(
                try await target.server.psql("select rolname from pg_roles where oid >= 16384 order by 1")
                    == "app user\nreader\nstaff\nunused")
            #expect(try await target.server.psql("show work_mem", in: "shop") == "6MB")
        }
    }

    @Test("Roles that a failed restore has created are gone with it")
    func failed() async throws {
        try await withTwoClusters { source, target in
            try await source.createOwnedShop()
            try await source.breakRestore(of: "shop")
            let dump = try await source.taken()
            try await target.server.psql("create role other")
            let before = try await target.inventory()
            let error = try await dumpError { try await target.restore(dump) { $0.items = ["shop"] } }
            #expect(error.code == .programFailed)
            #expect(try await target.inventory() == before)
        }
    }
}

func withTwoClusters(_ body: (ClusterFixture, ClusterFixture) async throws -> Void) async throws {
    try await ClusterFixture.with { source in
        try await ClusterFixture.with { target in try await body(source, target) }
    }
}

extension ClusterFixture {
    /// `shop` of `app user`, a member of `reader`, which may read in it, and of `staff`.
    func createOwnedShop() async throws {
        try await server.psql(
            """
            create role reader; create role staff;
            create role "app user" login password 'kept' in role reader, staff
            """)
        try await server.psql("create database shop owner \"app user\"")
        try await server.psql(
            """
            create table orders (id int primary key); insert into orders values (1), (2);
            alter table orders owner to "app user"; grant select on orders to reader
            """, in: "shop")
    }

    /// A dump that passes every check, and fails on its way back: see FACTS-restore.
    func breakRestore(of database: String) async throws {
        try await server.psql(
            """
            create table t (id int primary key);
            create function ok(int) returns bool language plpgsql immutable
                as 'begin return exists(select 1 from t where id=$1); end';
            create table c (id int check (ok(id)));
            insert into t values (1); insert into c values (1);
            """, in: database)
    }

    func createTablespace(_ name: String) async throws {
        let location = server.directory.appending(name)
        _ = try await runProgram("install", ["-d", "-o", "postgres", "-m", "700", location.string])
        try await server.psql("create tablespace \(name) location '\(location)'")
    }
}
