import Conformance
import DumpCore
import Linux
import Settings
import SystemPackage
import TestSupport
import Testing

@Suite("MariaDB dumps as of one instant")
struct MariaDBInstantTests {
    @Test("All databases are as of one instant while transactions go from one to the other")
    func oneInstant() async throws {
        try await MariaDBFixture.withBanks { host in
            let plugin = try host.plugin()
            var dumps: [PluginHost.Taken] = []
            try await host.server.whileRunning("CALL teller.work()") {
                for number in 1...3 { dumps.append(try await plugin.taken(in: host.scratch, "dump-\(number)")) }
            }
            #expect(Set(dumps.map { $0.fact("binary_log_position") }).count == 3, "nothing was written meanwhile")
            for (number, dump) in dumps.enumerated() {
                #expect(dump.summary.moment.kind == .exact)
                #expect(dump.fact("snapshots") == "3")
                #expect((dump.fact("lock_ms").flatMap(Int.init) ?? 0) > 0)
                let outcome = try await plugin.restored(dump) {
                    $0.target = host.server.socket.string
                    $0.items = ["east", "west"]
                }
                let names = Dictionary(uniqueKeysWithValues: outcome.items.map { ($0.item, $0.name) })
                #expect(try await host.sum(names["east"]!, names["west"]!) == "2000000", "dump \(number)")
                for name in names.values { try await host.server.sql("DROP DATABASE `\(name)`") }
            }
        }
    }

    @Test("Where there are more databases than snapshots, each file is that of its database alone", arguments: [1, 3])
    func manyDatabases(slots: Int) async throws {
        try await MariaDBFixture.with { host in
            try await host.createMuseum()
            try await host.server.sql("CREATE DATABASE `it's \"one\"`; CREATE TABLE `it's \"one\"`.t AS SELECT 1 n")
            for number in 1...11 {
                try await host.server.sql(
                    "CREATE DATABASE d\(number); CREATE TABLE d\(number).t AS SELECT \(number) n; CREATE VIEW d\(number).v AS SELECT * FROM d\(number).t"
                )
            }
            let dump = try await host.plugin().taken(in: host.scratch, slots: slots)
            #expect(dump.fact("snapshots") == "8")
            for database in dump.summary.databases where database.name != "@accounts" {
                let alone = try await runProgram(
                    "mariadb-dump",
                    [
                        "--no-defaults", "--socket=\(host.server.socket)", "--single-transaction", "--routines",
                        "--events", "--skip-dump-date",
                        "--no-tablespaces", "--default-character-set=utf8mb4", "--databases", database.name,
                    ])
                #expect(
                    try FileSystem.bytes(of: dump.directory.pushing(FilePath(database.path)), atMost: 1 << 20)
                        == Array(alone.output))
            }
        }
    }

    @Test(
        "A definition that changes while the dump waits is a transient error",
        arguments: [
            "ALTER TABLE east.accounts ADD COLUMN extra int DEFAULT 5, ALGORITHM=INSTANT",
            "ALTER TABLE east.accounts FORCE",
            "TRUNCATE east.ballast", "DROP TABLE east.ballast", "CREATE OR REPLACE TABLE east.ballast (i int)",
            "CREATE PROCEDURE east.p() SELECT 1", "CREATE USER late@localhost",
        ])
    func changedDefinition(statement: String) async throws {
        try await MariaDBFixture.withBanks { host in
            let error = try await host.plugin().errorOfDump(in: host.scratch) { try await host.server.sql(statement) }
            #expect(error?.code.rawValue == "definition_changed", "\(String(describing: error))")
            #expect(error?.isTransient == true)
        }
    }

    @Test("A table that is made after the freeze is not in the dump, and does no harm")
    func newTable() async throws {
        try await MariaDBFixture.withBanks { host in
            let error = try await host.plugin(["databases": .list([.text("east")])]).errorOfDump(in: host.scratch) {
                try await host.server.sql("CREATE TABLE east.late (i int)")
            }
            #expect(error == nil)
        }
    }

    @Test("A statement that is in the way of the lock is a transient error, and writers go on")
    func lockTimeout() async throws {
        try await MariaDBFixture.withBanks { host in
            try await host.server.whileRunning("LOCK TABLES east.accounts WRITE; SELECT sleep(1000)") {
                let error = await #expect(throws: DumpError.self) {
                    try await host.plugin(["lock_wait": .integer(1)]).taken(in: host.scratch)
                }
                #expect(error?.code.rawValue == "lock_wait")
                #expect(error?.isTransient == true)
                try await host.server.sql("UPDATE west.accounts SET balance = 1")
            }
        }
    }

    @Test("Tables without transactions make a dump live, or fail", arguments: [false, true])
    func withoutTransactions(fails: Bool) async throws {
        try await MariaDBFixture.with { host in
            try await host.server.sql(
                "CREATE DATABASE old; CREATE TABLE old.a (i int) ENGINE=MyISAM; CREATE TABLE old.b (i int) ENGINE=Aria")
            let plugin = try host.plugin(["non_transactional": .text(fails ? "fail" : "warn")])
            let message =
                "no transaction protects 2 tables of database 'old', so their rows are of another time: 'a', 'b'"
            #expect(try await plugin.findings() == ["\(fails ? "failure" : "warning") non_transactional: \(message)"])
            guard !fails else { return }
            let dump = try await plugin.taken(in: host.scratch)
            #expect(dump.summary.moment.kind == .live)
            #expect(dump.summary.omissions.map(\.message) == [message])
        }
    }
}
