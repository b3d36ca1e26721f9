import Conformance
import DumpCore
import Glibc
import Linux
import Settings
import SystemPackage
import TestSupport
import Testing

@testable import Plugins

@Suite("Restores of SQLite")
struct SQLiteRestoreTests {
    @Test("A database is restored beside the one that is there, as its owner's")
    func beside() async throws {
        try await with { host, plugin, dump in
            chown(host.withLog.string, 1, 1)
            try await host.sql(host.withLog, "DELETE FROM account")
            let before = try host.listing()
            let outcome = try await plugin.restore(dump, .beside, [host.withLog.string])
            let restored = FilePath(try #require(outcome.items.first).name)
            #expect(restored.removingLastComponent() == host.directory)
            #expect(restored.lastComponent?.string.hasPrefix("with log.restored-2") == true)
            #expect(try await host.state(of: restored).sum == SQLiteHost.accounts * 100)
            #expect(try FileSystem.status(of: restored).uid == 1)
            #expect(
                outcome.items.map(\.comparison.compared) == [
                    [
                        "bytes": dump.summary.databases.isEmpty ? 0 : try FileSystem.status(of: restored).bytes,
                        "tables": 3, "rows": 1601,
                    ]
                ])
            try FileSystem.removeFile(restored)
            #expect(try host.listing().filter { !$0.contains("-shm") && !$0.contains("-wal") } == before)
            #expect(plugin.journal.open.isEmpty)
        }
    }

    @Test("A database takes the place of the one that is there, which is kept")
    func replacing() async throws {
        try await with { host, plugin, dump in
            try await host.sql(host.withJournal, "DELETE FROM account")
            let outcome = try await plugin.restore(dump, .replacing, ["with journal.db"])
            let kept = FilePath(try #require(outcome.items.first?.kept))
            #expect(try await host.state(of: host.withJournal).sum == SQLiteHost.accounts * 100)
            #expect(try await host.sql(kept, "SELECT count(*) FROM account") == "0\n")
        }
    }

    @Test("A database that a program has open is not replaced")
    func inUse() async throws {
        try await with { host, plugin, dump in
            try await host.whileOpen(host.withJournal, "SELECT * FROM account") {
                let message = try await refusal { try await plugin.restore(dump, .replacing, ["with journal.db"]) }
                #expect(message?.hasPrefix("target_in_use: '\(host.withJournal)' is open in process ") == true)
            }
            try await host.whileOpen(host.withLog, "UPDATE account SET amount = 1") {
                let message = try await refusal { try await plugin.restore(dump, .replacing, ["with log.db"]) }
                #expect(message == "target_in_use: '\(host.withLog)' has transactions in its -wal")
            }
            #expect(try await host.sql(host.withLog, "SELECT sum(amount) FROM account") == "1000\n")
        }
    }

    @Test("A name that is taken is refused, and what is unknown is named with what there is")
    func names() async throws {
        try await with { host, plugin, dump in
            try await plugin.restore(dump, .named("new.db"), ["with log.db"])
            let new = host.directory.appending("new.db")
            #expect(try await host.state(of: new).sum == SQLiteHost.accounts * 100)
            #expect(
                try await refusal { try await plugin.restore(dump, .named("new.db"), ["with log.db"]) }
                    == "name_taken: '\(new)' exists")
            #expect(
                try await refusal { try await plugin.restore(dump, .named("new.db")) }
                    == "name_taken: several files cannot have one name")
            #expect(
                try await refusal { try await plugin.restore(dump, .beside, ["x"]) }
                    == "item_unknown: the dump has no 'x'")
        }
    }

    @Test("A damaged file of a dump is not restored, and leaves nothing behind")
    func damaged() async throws {
        try await with { host, plugin, dump in
            let copy = host.copy(of: host.withLog, in: dump.directory)
            let file = try FileDescriptor.open(copy, .writeOnly, options: .closeOnExec)
            try file.closeAfter {
                _ = try file.writeAll(toAbsoluteOffset: 8192 * 3, [UInt8](repeating: 0xff, count: 8192 * 4))
            }
            let before = try host.listing()
            let message = try await refusal { try await plugin.restore(dump, .beside, ["with log.db"]) }
            #expect(message?.hasPrefix("restored_differs: check of '\(host.withLog)' is ") == true, "\(message ?? "")")
            #expect(try host.listing() == before)
            #expect(plugin.journal.open.isEmpty)
        }
    }

    @Test("A drill compares every table, and finds a row that is missing")
    func drill() async throws {
        try await with { host, plugin, dump in
            let good = try await plugin.drill(dump, in: host.scratch.appending("room"))
            #expect(good.items.flatMap(\.comparison.differences).isEmpty)
            #expect(good.items.map(\.comparison.compared["tables"]) == [3, 3])
            var record = dump.record
            let place = try #require(record.databases.firstIndex { $0.name == host.withLog.string })
            record.databases[place].tables[0].rows += 1
            let bad = try await plugin.drill(dump, of: record, in: host.scratch.appending("other"))
            let differences = bad.items.flatMap(\.comparison.differences)
            #expect(
                differences.map { "\($0.fact) \($0.object) \($0.expected) \($0.found)" } == [
                    "rows \(host.withLog): account 1001 1000"
                ])
        }
    }

    private func with(_ body: (SQLiteHost, PluginHost, PluginHost.Taken) async throws -> Void) async throws {
        try await SQLiteHost.with { host in
            let plugin = try host.plugin()
            try await body(host, plugin, try await plugin.dump(into: host.scratch.appending("dump")))
        }
    }
}
