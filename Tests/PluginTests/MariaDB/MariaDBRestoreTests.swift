import Conformance
import DumpCore
import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("MariaDB dumps restored")
struct MariaDBRestoreTests {
    private static let museum = "mü se/um"

    @Test("What is restored beside a database is the same, and has no events")
    func beside() async throws {
        try await MariaDBFixture.with { host in
            try await host.createMuseum()
            let dump = try await host.plugin().taken(in: host.scratch)
            let outcome = try await host.plugin().restored(dump) { $0.target = host.server.socket.string }
            let item = try #require(outcome.items.first)
            #expect(outcome.items.count == 1)
            #expect(item.item == Self.museum && item.name.hasPrefix("\(Self.museum)_restored_"))
            #expect(item.comparison.compared == ["tables": 4, "rows": 5, "views": 1, "triggers": 1, "routines": 1])
            #expect(item.comparison.notCompared == ["events"])
            #expect(try await host.checksums(of: item.name) == host.checksums(of: Self.museum))
            #expect(try await host.server.sql("SELECT count(*) FROM information_schema.events") == "1")
            #expect(try await host.server.sql("SELECT three(), count(*) FROM seen", in: item.name) == "3\t2")
        }
    }

    @Test("A database that is gone is restored under its own name, with its events")
    func ownName() async throws {
        try await MariaDBFixture.with { host in
            try await host.createMuseum()
            let before = try await host.checksums(of: Self.museum)
            let dump = try await host.plugin().taken(in: host.scratch)
            try await host.server.sql("DROP DATABASE `\(Self.museum)`")
            let outcome = try await host.plugin().restored(dump) {
                $0.target = "socket=\(host.server.socket) user=root"
                $0.items = [Self.museum]
                $0.placement = .replacing
            }
            #expect(outcome.items.map(\.name) == [Self.museum])
            #expect(try await host.checksums(of: Self.museum) == before)
            #expect(try await host.server.sql("SELECT event_name FROM information_schema.events") == "tick")
        }
    }

    @Test("A name that is taken, and a target that is not there, stop a restore before it begins")
    func refused() async throws {
        try await MariaDBFixture.with { host in
            try await host.createMuseum()
            let dump = try await host.plugin().taken(in: host.scratch)
            let taken = await #expect(throws: DumpError.self) {
                try await host.plugin().restored(dump) {
                    $0.target = host.server.socket.string
                    $0.placement = .replacing
                }
            }
            #expect(taken?.message == "there is a database 'mü se/um' already")
            let absent = await #expect(throws: DumpError.self) {
                try await host.plugin().restored(dump) { $0.target = "/nowhere" }
            }
            #expect(absent?.code == .sourceUnavailable)
        }
    }

    @Test("A dump that was cut between two statements is not loaded")
    func cutDump() async throws {
        try await MariaDBFixture.with { host in
            try await host.createMuseum()
            let dump = try await host.plugin().taken(in: host.scratch)
            try await output("truncate", "-s", "-400", dump.script)
            let error = await #expect(throws: DumpError.self) {
                try await host.plugin().restored(dump) { $0.target = host.server.socket.string }
            }
            #expect(error?.code == .incompleteDump)
            #expect(try await host.server.sql("SHOW DATABASES LIKE '%restored%'") == "")
        }
    }

    @Test("A restore that fails half-way leaves no database")
    func failedRestore() async throws {
        try await MariaDBFixture.with { host in
            try await host.createMuseum()
            let dump = try await host.plugin().taken(in: host.scratch)
            try await output("sed", "-i", "s/CREATE TABLE `log`/CREATE TABEL `log`/", dump.script)
            let error = await #expect(throws: DumpError.self) {
                try await host.plugin().restored(dump) { $0.target = host.server.socket.string }
            }
            #expect(
                error?.message.hasPrefix("cannot load database 'mü se/um': mariadb ended with status 1: ERROR 1064")
                    == true)
            #expect(try await host.server.sql("SHOW DATABASES LIKE '%restored%'") == "")
        }
    }

    @Test("Accounts are made if they are not there, and never changed if they are")
    func accounts() async throws {
        try await MariaDBFixture.with { host in
            try await host.server.sql(
                """
                CREATE DATABASE d; CREATE TABLE d.t (i int);
                CREATE USER lost@localhost IDENTIFIED BY 'before'; GRANT SELECT ON d.* TO lost@localhost;
                CREATE USER kept@localhost IDENTIFIED BY 'before'; CREATE ROLE clerk; GRANT INSERT ON d.* TO clerk; GRANT clerk TO lost@localhost
                """)
            let grants = try await host.server.sql("SHOW GRANTS FOR lost@localhost; SHOW GRANTS FOR clerk")
            let dump = try await host.plugin().taken(in: host.scratch)
            try await host.server.sql(
                "DROP USER lost@localhost; DROP ROLE clerk; SET PASSWORD FOR kept@localhost = PASSWORD('after')")
            let outcome = try await host.plugin().restored(dump) {
                $0.target = host.server.socket.string
                $0.items = ["@accounts"]
            }
            #expect(outcome.items.map(\.comparison.compared) == [["accounts": 1]])
            #expect(try await host.server.sql("SHOW GRANTS FOR lost@localhost; SHOW GRANTS FOR clerk") == grants)
            #expect(try await host.server.sql("SELECT 1", as: "kept", password: "after") == "1")
            #expect(try await host.server.sql("SELECT current_user()") == "root@localhost")
        }
    }

    @Test("A drill loads everything into a server of its own")
    func drill() async throws {
        try await MariaDBFixture.withBanks { host in
            try await host.createMuseum()
            try await host.server.sql(
                "CREATE VIEW east.both_sides AS SELECT * FROM west.accounts; CREATE USER app@localhost")
            let dump = try await host.plugin().taken(in: host.scratch)
            let outcome = try await host.plugin().drill(dump, in: host.scratch.appending("room"))
            #expect(outcome.isProven, "\(outcome.items.map(\.comparison))")
            #expect(outcome.items.map(\.item) == ["east", Self.museum, "teller", "west", "@accounts"])
            #expect(outcome.items[1].comparison.compared["events"] == 1)
            #expect(outcome.items[0].comparison.compared["rows"] == 21_000)
        }
    }

    @Test("A drill finds a row that is missing")
    func drillFindsLoss() async throws {
        try await MariaDBFixture.with { host in
            try await host.createMuseum()
            let dump = try await host.plugin().taken(in: host.scratch)
            try await output("sed", "-i", "-z", #"s/(1),\n(2);/(1);/"#, dump.script)
            let outcome = try await host.plugin().drill(dump, in: host.scratch.appending("room"))
            #expect(
                outcome.items.flatMap(\.comparison.differences).map(\.description) == [
                    "rows of mü se/um.we`ird: 2 in the manifest, 1 restored"
                ])
        }
    }
}

extension PluginHost.Taken {
    /// The file of the first database.
    fileprivate var script: String { directory.pushing(FilePath(summary.databases[0].path)).string }
}
