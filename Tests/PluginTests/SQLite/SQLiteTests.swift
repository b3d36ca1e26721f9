import Conformance
import DumpCore
import Glibc
import Linux
import Settings
import SystemPackage
import TestSupport
import Testing

@Suite("Dumps of SQLite")
struct SQLiteTests {
    @Test("A dump while a program writes is one instant, in both databases")
    func underWriters() async throws {
        try await SQLiteHost.with { host in
            let plugin = try host.plugin()
            try await host.whileWriting([host.withLog, host.withJournal]) {
                for number in 1...5 {
                    let before = try await host.state(of: host.withLog).transfers
                    let dump = try await plugin.dump(into: host.scratch.appending("dump-\(number)"))
                    let first = try await host.state(of: host.copy(of: host.withLog, in: dump.directory))
                    let second = try await host.state(of: host.copy(of: host.withJournal, in: dump.directory))
                    #expect(first.sum == SQLiteHost.accounts * 100)
                    #expect(second.sum == SQLiteHost.accounts * 100)
                    #expect(first.transfers >= before)
                    #expect(dump.summary.moment.kind == .exact)
                    #expect((0...1).contains(first.transfers - second.transfers))
                }
            }
        }
    }

    @Test("Databases of one writer each, with a log, are one instant too, or the dump says that they are not")
    func twoLogs() async throws {
        try await SQLiteHost.with { host in
            let other = host.directory.appending("other.db")
            try await host.create(other, journal: "wal")
            let plugin = try PluginHost("sqlite", ["paths": .list([.text(host.withLog.string), .text(other.string)])])
            try await host.whileWriting([host.withLog, other]) {
                for number in 1...5 {
                    let dump = try await plugin.dump(into: host.scratch.appending("dump-\(number)"))
                    let first = try await host.state(of: host.copy(of: host.withLog, in: dump.directory))
                    let second = try await host.state(of: host.copy(of: other, in: dump.directory))
                    #expect(first.sum == SQLiteHost.accounts * 100)
                    #expect(second.sum == SQLiteHost.accounts * 100)
                    #expect(dump.summary.moment.kind == .window || (0...1).contains(first.transfers - second.transfers))
                }
            }
        }
    }

    @Test("A copy keeps page size, versions and journal mode, and the manifest has the rows of its tables")
    func properties() async throws {
        try await SQLiteHost.with { host in
            let dump = try await host.plugin().dump(into: host.scratch.appending("dump"))
            let copy = host.copy(of: host.withLog, in: dump.directory)
            let found = try await host.sql(
                copy, "PRAGMA page_size; PRAGMA user_version; PRAGMA application_id; PRAGMA journal_mode")
            #expect(found == "8192\n7\n99\nwal\n")
            let contents = try #require(dump.summary.databases.first { $0.name == host.withLog.string })
            #expect(
                contents.tables.map { "\($0.name) \($0.rows)" } == ["account 1000", "the \"log\" 600", "transfers 1"])
            #expect(
                dump.record.identity["database_1"]?.contains("page_size 8192, user_version 7, application_id 99")
                    == true)
        }
    }

    @Test("What is not there fails, and is not created")
    func missing() async throws {
        try await SQLiteHost.with { host in
            let before = try host.listing(host.scratch)
            let path = host.scratch.appending("nothing.db")
            #expect(
                try await failure(["path": .text(path.string)], host) == "source_unavailable: '\(path)' does not exist")
            #expect(
                try await failure(["paths": [.text("\(path).*")]], host)
                    == "source_unavailable: no file matches '\(path).*'")
            #expect(try await failure([:], host) == "settings_invalid: neither `path` nor `paths` names a database")
            let text = host.scratch.appending("text.db")
            try write("this is text", to: text)
            #expect(
                try await failure(["path": .text(text.string)], host)
                    == "not_sqlite: '\(text)' is not an SQLite database, or it is encrypted")
            try FileSystem.removeFile(text)
            #expect(try host.listing(host.scratch) == before)
        }
    }

    @Test("A database that fails its check is no dump, and the error says where the damage is")
    func damaged() async throws {
        try await SQLiteHost.with { host in
            try await host.sql(
                host.withJournal,
                "PRAGMA writable_schema = on; UPDATE sqlite_master SET rootpage = 3 WHERE name = 'account'")
            let message = try await failure(["path": .text(host.withJournal.string)], host)
            #expect(
                message?.hasPrefix("source_damaged: '\(host.withJournal)' fails integrity_check: ") == true,
                "\(message ?? "")")
        }
    }

    @Test("A locked database is waited for, and then is an error that may be retried")
    func locked() async throws {
        try await SQLiteHost.with { host in
            try await host.whileOpen(host.withJournal, "BEGIN EXCLUSIVE") {
                let plugin = try PluginHost("sqlite", ["path": .text(host.withJournal.string), "wait": 1])
                do {
                    _ = try await plugin.dump(into: host.scratch.appending("dump"))
                    Issue.record("a locked database was dumped")
                } catch let error as DumpError {
                    #expect(error.code.rawValue == "source_locked")
                    #expect(error.message == "'\(host.withJournal)' is locked")
                    #expect(error.isTransient)
                }
            }
        }
    }

    @Test("A database that is locked for a while is waited for, also where it is only looked at")
    func lockedForAWhile() async throws {
        try await SQLiteHost.with { host in
            try await host.whileLockedForAWhile(host.withJournal) {
                let dump = try await host.plugin().dump(into: host.scratch.appending("dump"))
                #expect(dump.summary.moment.kind == .exact)
            }
        }
    }

    @Test("A transaction that a program left unfinished is not undone by us")
    func hotJournal() async throws {
        try await SQLiteHost.with { host in
            try await host.whileOpen(
                host.withJournal,
                "PRAGMA cache_size = 1;BEGIN;UPDATE account SET amount = 0;DELETE FROM \"the \"\"log\"\"\""
            ) {}
            let before = try host.listing()
            #expect(
                try await failure(["path": .text(host.withJournal.string)], host)
                    == "source_unrecovered: '\(host.withJournal)' has an unfinished transaction of a program that died")
            #expect(try host.listing() == before)
        }
    }

    @Test("Nothing is left beside a database of another user", arguments: [nil, "daemon", "nobody"] as [String?])
    func otherUsers(runAs: String?) async throws {
        try await SQLiteHost.with { host in
            let owner: UInt32 = 1  // daemon
            chmod(host.directory.string, 0o755)
            for path in [host.directory, host.withLog, host.withJournal] { chown(path.string, owner, owner) }
            for path in [host.withLog, host.withJournal] { chmod(path.string, 0o644) }
            // Other users may not be able to reach this checkout.
            let plugins = host.scratch.appending("plugins")
            try await output("cp", "-r", PluginHost.directory.string, plugins.string)
            var plugin = try PluginHost("sqlite", ["paths": host.both], in: plugins)
            plugin.runAs = runAs
            let idle = try host.listing()
            _ = try await plugin.dump(into: host.scratch.appending("idle"))
            #expect(try host.listing() == idle)
            try await host.whileOpen(host.withLog, "UPDATE account SET amount = amount", user: owner) {
                let open = try host.listing()
                let dump = try await plugin.dump(into: host.scratch.appending("open"))
                #expect(try host.listing() == open)
                #expect(
                    try await host.state(of: host.copy(of: host.withLog, in: dump.directory)).sum == SQLiteHost.accounts
                        * 100)
            }
        }
    }

    @Test("Databases on a read-only mount are dumped with what is only in their logs")
    func readOnly() async throws {
        try await withMountScratch { scratch in
            let host = SQLiteHost(scratch: scratch)
            try FileSystem.createDirectory(host.directory)
            try await host.create(host.withLog, journal: "wal")
            try await host.create(host.withJournal, journal: "delete")
            let mount = scratch.appending("mount")
            try FileSystem.createDirectory(mount)
            try await output("mount", "--bind", host.directory.string, mount.string)
            try await output("mount", "-o", "remount,bind,ro", mount.string)
            let plugin = try PluginHost("sqlite", ["paths": [.text("\(mount)/*.db")]])
            let idle = try await plugin.dump(into: scratch.appending("idle"))
            #expect(idle.summary.databases.count == 2)
            try await host.whileOpen(host.withLog, "UPDATE transfers SET number = 5") {
                let dump = try await plugin.dump(into: scratch.appending("open"))
                let copy = host.copy(of: mount.appending("with log.db"), in: dump.directory)
                #expect(try await host.state(of: copy).transfers == 5)
            }
        }
    }

    @Test("What only the application knows does not keep its database from being dumped")
    func unknownCollation() async throws {
        try await SQLiteHost.with { host in
            let path = host.directory.appending("odd.db")
            try await output(
                "python3", "-c",
                """
                import sqlite3, sys
                c = sqlite3.connect(sys.argv[1])
                c.create_collation("icu", lambda a, b: (a > b) - (a < b))
                c.create_function("shortened", 1, lambda text: text[:1], deterministic=True)
                c.execute("CREATE TABLE t (x TEXT COLLATE icu)"); c.execute("CREATE INDEX i ON t (x)"); c.execute("CREATE INDEX k ON t (shortened(x))")
                c.executemany("INSERT INTO t VALUES (?)", [("a",), ("b",)]); c.commit()
                """, path.string)
            let dump = try await PluginHost("sqlite", ["path": .text(path.string)]).dump(
                into: host.scratch.appending("dump"))
            #expect(dump.summary.findings.map(\.code) == ["check_partial"])
            #expect(dump.summary.databases.first?.tables.map(\.rows) == [2])
        }
    }

    private func failure(_ values: [String: PlainValue], _ host: SQLiteHost) async throws -> String? {
        try await PluginHost("sqlite", values).failure(into: host.scratch.appending("dump"))
    }
}
