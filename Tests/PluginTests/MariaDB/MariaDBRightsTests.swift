import Conformance
import DumpCore
import Linux
import Settings
import SystemPackage
import TestSupport
import Testing

@Suite("Accounts that dump MariaDB")
struct MariaDBRightsTests {
    private static let password = #"corre"ct \horse# 'battery'"#

    @Test("The least rights are enough, and give the same files as root's")
    func leastRights() async throws {
        try await MariaDBFixture.withBanks { host in
            try await host.createMuseum()
            try await grant("SELECT, SHOW VIEW, TRIGGER, EVENT, SHOW DATABASES, RELOAD, BINLOG MONITOR ON *.*", host)
            let plugin = try host.plugin(as: "muster", password: Self.password)
            #expect(try await plugin.findings() == [])
            let (own, root) = (
                try await plugin.taken(in: host.scratch, "own"), try await host.plugin().taken(in: host.scratch, "root")
            )
            #expect(own.fact("binary_log_position") != nil)
            #expect(try await runProgram("diff", ["-r", own.directory.string, root.directory.string]).succeeded)
        }
    }

    @Test("Without RELOAD one mariadb-dump dumps all, and they are of one instant")
    func withoutReload() async throws {
        try await MariaDBFixture.withBanks { host in
            try await grant("SELECT, SHOW VIEW, TRIGGER, EVENT, SHOW DATABASES ON *.*", host)
            let plugin = try host.plugin(as: "muster", password: Self.password)
            #expect(
                try await plugin.findings() == [
                    "note no_lock: without the right RELOAD one mariadb-dump dumps all databases, one after the other"
                ])
            let dump = try await plugin.taken(in: host.scratch)
            #expect(dump.summary.moment.kind == .exact)
            #expect(dump.fact("lock_ms") == nil)
            #expect(dump.summary.databases.map(\.name) == ["east", "teller", "west", "@accounts"])
        }
    }

    @Test("An account for one database needs no rights elsewhere")
    func oneDatabase() async throws {
        try await MariaDBFixture.withBanks { host in
            try await grant("SELECT, SHOW VIEW, TRIGGER, EVENT ON east.*", host)
            try await host.server.sql("GRANT SELECT ON mysql.proc TO muster@localhost")
            let plugin = try host.plugin(
                as: "muster", password: Self.password,
                ["databases": .list([.text("east")]), "accounts": .boolean(false)])
            #expect(try await plugin.findings() == [])
            #expect(try await plugin.taken(in: host.scratch).summary.databases.map(\.name) == ["east"])
        }
    }

    @Test("Rights that are missing are failures, never databases that are missing")
    func missingRights() async throws {
        try await MariaDBFixture.withBanks { host in
            try await grant("SELECT, SHOW VIEW, EVENT ON east.*", host)
            let findings = try await host.plugin(as: "muster", password: Self.password).findings()
            #expect(
                findings == [
                    "failure rights_missing: account 'muster@localhost' lacks SHOW DATABASES on *.*, so databases may be invisible to it",
                    "failure rights_missing: account 'muster@localhost' lacks TRIGGER on `east`.*, so part of the database would be missing",
                    "failure rights_missing: account 'muster@localhost' lacks SELECT on mysql.proc, so routines would be missing",
                    "failure rights_missing: account 'muster@localhost' lacks SELECT on mysql.*, so accounts and grants cannot be dumped",
                ])
        }
    }

    @Test("A wrong password is an error that says so, without it")
    func wrongPassword() async throws {
        try await MariaDBFixture.with { host in
            try await grant("SELECT ON *.*", host)
            let error = await #expect(throws: DumpError.self) {
                try await host.plugin(as: "muster", password: "wrong-wrong-wrong").findings()
            }
            #expect(error?.code == .sourceUnavailable)
            #expect(error?.message.contains("Access denied for user 'muster'@'localhost'") == true)
            #expect(error.map { "\(String(reflecting: $0))".contains("wrong-wrong-wrong") } == false)
        }
    }

    @Test("A pattern that no database matches is a failure")
    func missingDatabase() async throws {
        try await MariaDBFixture.withBanks { host in
            let plugin = try host.plugin(["databases": .list([.text("east"), .text("north*")])])
            #expect(try await plugin.findings() == ["failure database_missing: no database is called 'north*'"])
        }
    }

    @Test("Events of a database with a quote in its name, which mariadb-dump cannot dump, are a failure of prepare")
    func quotedEvents() async throws {
        try await MariaDBFixture.with { host in
            try await host.server.sql(
                "CREATE DATABASE `it's`; USE `it's`; CREATE EVENT e ON SCHEDULE EVERY 1 DAY DO SELECT 1")
            let message = "mariadb-dump cannot dump the events of a database called 'it's'"
            #expect(try await host.plugin().findings() == ["failure name_unsuitable: \(message)"])
        }
    }

    @Test("A view that refers to nothing is a failure of prepare")
    func brokenView() async throws {
        try await MariaDBFixture.withBanks { host in
            try await host.server.sql("CREATE VIEW east.v AS SELECT * FROM east.ballast; DROP TABLE east.ballast")
            let findings = try await host.plugin().findings()
            #expect(
                findings.count == 1
                    && findings[0].hasPrefix("failure table_broken: 'east.v' cannot be read: View 'east.v' references"))
        }
    }

    private func grant(_ rights: String, _ host: MariaDBFixture) async throws {
        let quoted = Self.password.split(separator: #"\"#, omittingEmptySubsequences: false).joined(separator: #"\\"#)
            .split(separator: "'", omittingEmptySubsequences: false).joined(separator: "''")
        try await host.server.sql(
            "CREATE USER muster@localhost IDENTIFIED BY '\(quoted)'; GRANT \(rights) TO muster@localhost")
    }
}
