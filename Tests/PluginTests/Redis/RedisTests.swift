import Conformance
import DumpCore
import Linux
import Settings
import SystemPackage
import TestSupport
import Testing

@testable import Plugins

@Suite("Dumps of Redis")
struct RedisTests {
    @Test("A dump while a program writes is one instant", arguments: ["replica", "save"])
    func underWriters(method: String) async throws {
        try await RedisHost.with { host in
            let plugin = try host.plugin(["method": .text(method)])
            try await host.whileWriting {
                for number in 1...3 {
                    let dump = try await plugin.dump(into: host.scratch.appending("dump-\(number)"))
                    #expect(try await host.sum(of: dump.directory.appending("dump.rdb")) == "10000\n")
                    #expect(dump.summary.moment.kind == .exact)
                }
            }
        }
    }

    @Test("The manifest has the number of keys and accounts")
    func counts() async throws {
        try await RedisHost.with { host in
            try await host.ask("ACL", "SETUSER", "reader", "on", ">x", "~*", "+@read")
            let dump = try await host.plugin().dump(into: host.scratch.appending("dump"))
            let rows = dump.summary.databases.flatMap(\.tables).map { "\($0.name) \($0.rows)" }
            #expect(rows.sorted() == ["accounts 2", "keys \(RedisHost.keys)"])
            let accounts = try read(dump.directory.appending("users.acl"))
            #expect(accounts == (try await host.ask("ACL", "LIST")))
        }
    }

    @Test("A wrong password and a missing one are told apart")
    func refused() async throws {
        try await RedisHost.with { host in
            var plugin = try host.plugin()
            plugin.secrets = [:]
            #expect(
                try await plugin.failure(into: host.scratch.appending("dump"))
                    == "login_refused: server '\(host.socket)' refused INFO: NOAUTH Authentication required.")
            let file = host.scratch.appending("wrong")
            try write("wrong", to: file)
            plugin.secrets = ["password": .file(file.string)]
            #expect(
                try await plugin.failure(into: host.scratch.appending("dump"))
                    == "login_refused: server '\(host.socket)' refused INFO: AUTH failed: WRONGPASS invalid username-password pair or user is disabled."
            )
        }
    }

    @Test(
        "The rights that the page lists are enough, and without that to list accounts these are left out with a warning"
    )
    func leastRights() async throws {
        try await RedisHost.with { host in
            let rights = ["-@all", "+psync", "+sync", "+replconf", "+ping", "+info"]
            try await host.ask(["ACL", "SETUSER", "backup", "on", ">\(host.password)"] + rights)
            let plugin = try host.plugin(["user": "backup"])
            let without = try await plugin.dump(into: host.scratch.appending("without"))
            #expect(without.summary.omissions.map(\.code) == ["configuration", "accounts_missing"])
            try await host.ask("ACL", "SETUSER", "backup", "+acl|list", "+config|get")
            let with = try await plugin.dump(into: host.scratch.appending("with"))
            #expect(with.summary.omissions.map(\.code) == ["configuration"])
            try await host.ask("ACL", "SETUSER", "backup", "-sync", "-psync")
            let message = try await plugin.failure(into: host.scratch.appending("refused"))
            #expect(
                message
                    == "dump_failed: redis-cli ended with status 1: SYNC with master failed: -NOPERM this user has no permissions to run the 'sync' command"
            )
        }
    }

    @Test("A server that is killed while it sends its keys gives no dump")
    func killed() async throws {
        // Microseconds for each key: it would be at it for twenty seconds.
        try await RedisHost.with("--rdb-key-save-delay", "2000") { host in
            let pid = try #require(
                try await host.ask("INFO", "server").split(whereSeparator: \.isNewline)
                    .first { $0.hasPrefix("process_id:") }.flatMap { Int32($0.dropFirst("process_id:".count)) })
            let plugin = try host.plugin()
            let directory = host.scratch.appending("dump")
            async let failure = plugin.failure(into: directory)
            try await eventually { try await host.ask("INFO", "persistence").contains("rdb_bgsave_in_progress:1") }
            try await output("kill", "-9", "\(pid)")
            #expect(try await failure?.hasPrefix("dump_failed: redis-cli ended with status 1") == true)
        }
    }

    @Test("A restore puts the file beside the server's own, and does not replace that of a running server")
    func restore() async throws {
        try await RedisHost.with { host in
            let plugin = try host.plugin()
            let dump = try await plugin.dump(into: host.scratch.appending("dump"))
            let beside = try await plugin.restore(dump, .beside)
            #expect(beside.items.map(\.item) == ["keys", "accounts"])
            let restored = FilePath(try #require(beside.items.first).name)
            #expect(restored.removingLastComponent() == host.directory)
            try await host.ask("SAVE")
            let message = try await refusal { try await plugin.restore(dump, .replacing, ["keys"]) }
            #expect(
                message?.hasPrefix("target_in_use: '\(host.directory)/dump.rdb' belongs to process ") == true,
                "\(message ?? "")")
            #expect(plugin.journal.open.isEmpty)
        }
    }

    @Test("A server with an append-only file ignores a restored dump: the restore says so, and refuses where one lies")
    func appendOnly() async throws {
        try await RedisHost.with("--appendonly", "yes") { host in
            let plugin = try host.plugin()
            let dump = try await plugin.dump(into: host.scratch.appending("dump"))
            #expect(dump.summary.findings.map(\.code) == ["append_only_file"])
            let target = host.scratch.appending("target")
            try FileSystem.createDirectory(target)
            try FileSystem.createDirectory(target.appending("appendonlydir"))
            try write("old", to: target.appending("dump.rdb"))
            let warned = try await plugin.prepared(dump, .beside, ["keys"], to: target)
            #expect(warned.findings.map { "\($0.severity.rawValue) \($0.code)" } == ["warning append_only_file"])
            #expect(
                try await refusal { try await plugin.restore(dump, .replacing, ["keys"], to: target) }
                    == "append_only_file: the server would read '\(target)/appendonlydir' in place of the dump")
            #expect(try read(target.appending("dump.rdb")) == "old")
        }
    }

    @Test("A drill loads the keys, those that have expired too, and compares their number and the accounts")
    func drill() async throws {
        try await RedisHost.with { host in
            try await host.ask("ACL", "SETUSER", "reader", "on", ">x", "~*", "+@read", "-get")
            // It stays in the server's memory, and in the dump, until somebody asks for it.
            try await host.ask("DEBUG", "SET-ACTIVE-EXPIRE", "0")
            try await host.ask("SET", "short", "lived", "PX", "1")
            let plugin = try host.plugin()
            let dump = try await plugin.dump(into: host.scratch.appending("dump"))
            let good = try await plugin.drill(dump, in: host.scratch.appending("room"))
            #expect(good.items.flatMap(\.comparison.differences).isEmpty)
            #expect(good.items.map(\.comparison.compared) == [["keys": Int64(RedisHost.keys) + 1], ["accounts": 2]])
            var record = dump.record
            let place = try #require(record.databases.firstIndex { $0.path == "dump.rdb" })
            record.databases[place].tables[0].rows += 1
            let bad = try await plugin.drill(dump, of: record, in: host.scratch.appending("other"))
            #expect(
                bad.items.flatMap(\.comparison.differences).map { "\($0.object) \($0.expected) \($0.found)" } == [
                    "keys 10002 10001"
                ])
        }
    }
}
