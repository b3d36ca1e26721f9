import Conformance
import DumpCore
import Linux
import Processes
import SystemPackage
import TestSupport
import Testing

@testable import Plugins

/// A plugin's word on a restore is held against the manifest.
@Suite("Broken restores by plugins")
struct BrokenRestoreTests {
    struct Fault: Sendable, CustomTestStringConvertible {
        var name: String
        /// What the plugin does to restore.
        var restore: String
        /// What the error says.
        var message: String

        init(_ name: String, _ restore: String, _ message: String) {
            (self.name, self.restore, self.message) = (name, restore, message)
        }

        var testDescription: String { name }
    }

    private static let both = #"restored one '{"rows": 7}'; restored two '{"rows": 5, "tables": 2}'"#

    @Test(
        "A restore and a drill are good only if each item of the dump was restored once and compared with it",
        arguments: [
            Fault(
                "one of two", #"restored one '{"rows": 7}'"#,
                "plugin 'trial' did not say that it restored 'two', which the dump has"),
            Fault(
                "not in the dump", both + #"; restored zzz '{"rows": 7}'"#,
                "plugin 'trial' says that it restored 'zzz', which is not in the dump"),
            Fault(
                "one twice", #"restored one '{"rows": 7}'; restored one '{"rows": 7}'"#,
                "plugin 'trial' says that it restored 'one' twice"),
            Fault(
                "other rows", #"restored one '{"rows": 0}'; restored two '{"rows": 5}'"#,
                "plugin 'trial' compared 0 rows of 'one', of which the dump has 7"),
            Fault(
                "other tables", #"restored one '{"tables": 1}'; restored two '{"tables": 1}'"#,
                "plugin 'trial' compared 1 tables of 'two', of which the dump has 2"),
            Fault(
                "nothing compared", #"restored one '{"rows": 7}'; restored two '{}'"#,
                "plugin 'trial' restored 'two' and compared nothing of it with the dump"),
            Fault(
                "a file changed", "echo more >>one.dump; " + both,
                "plugin 'trial' changed 'one.dump' of the dump that it restored"),
            Fault(
                "a file removed", "rm two.dump; " + both,
                "plugin 'trial' removed 'two.dump' of the dump that it restored"),
            Fault(
                "a file exchanged", "cp one.dump three; mv three one.dump; " + both,
                "plugin 'trial' changed 'one.dump' of the dump that it restored"),
        ])
    func broken(fault: Fault) async throws {
        try await withScratch { scratch in
            let host = try Host(in: scratch, restore: fault.restore)
            #expect(try await refusal { _ = try await host.restore() } == "not_restored: \(fault.message)")
        }
        try await withScratch { scratch in
            let host = try Host(in: scratch, restore: fault.restore)
            #expect(try await refusal { _ = try await host.drill() } == "not_restored: \(fault.message)")
        }
    }

    @Test("A restore may say that something could not be compared; a drill proves nothing by that")
    func notCompared() async throws {
        try await withScratch { scratch in
            let host = try Host(in: scratch, restore: #"restored one '{"rows": 7}'; restored two '{}' '["rows"]'"#)
            #expect(try await host.restore().items.map(\.comparison.notCompared) == [[], ["rows"]])
            #expect(
                try await refusal { _ = try await host.drill() }
                    == "not_restored: plugin 'trial' restored 'two' and compared nothing of it with the dump")
        }
    }

    @Test("A good restore, and a good drill, leave the dump's files alone")
    func good() async throws {
        try await withScratch { scratch in
            let host = try Host(in: scratch, restore: "cat one.dump two.dump; " + Self.both)
            #expect(try await host.restore().items.map(\.item) == ["one", "two"])
            #expect(try await host.drill().isProven)
        }
    }

    @Test("What was asked for must be restored, and nothing that was not is enough")
    func asked() async throws {
        try await withScratch { scratch in
            let host = try Host(in: scratch, restore: #"restored one '{"rows": 7}'"#)
            #expect(
                try await refusal { _ = try await host.restore(["two"]) }
                    == "not_restored: plugin 'trial' did not say that it restored 'two', which the dump has")
            #expect(try await host.restore(["one"]).items.map(\.item) == ["one"])
        }
    }

    @Test("A check says what would be restored, all of it, or what it leaves out")
    func plans() async throws {
        let omission =
            #"say '{"event": "omission", "severity": "note", "code": "left_out", "object": "two", "message": "it stays"}'"#
        for (check, message) in [
            (":", "plugin 'trial' did not say that it would restore 'one', which the dump has"),
            ("plan one", "plugin 'trial' did not say that it would restore 'two', which the dump has"),
            ("plan one; plan zwei", "plugin 'trial' says that it would restore 'zwei', which is not in the dump"),
        ] {
            try await withScratch { scratch in
                let host = try Host(in: scratch, check: check, restore: Self.both)
                #expect(try await refusal { _ = try await host.restore() } == "not_restored: \(message)")
            }
        }
        try await withScratch { scratch in
            let host = try Host(
                in: scratch, check: "plan one; " + omission, restore: #"restored one '{"rows": 7}'"#)
            #expect(try await host.restore().items.map(\.item) == ["one"])
            #expect(
                try await refusal { _ = try await host.drill() }
                    == "not_restored: plugin 'trial' did not say that it restored 'two', which the dump has")
        }
    }

    /// A dump of two databases, and a plugin that restores it.
    private struct Host {
        let fixture: PluginFixture
        let scratch: FilePath
        let dump: FilePath

        init(in scratch: FilePath, check: String = "plan one; plan two", restore: String) throws {
            self.scratch = scratch
            fixture = try PluginFixture(
                in: scratch, "done_", verbs: #""prepare", "dump", "restore""#,
                others: #"""
                    restore)
                        restored() { say "{\"event\": \"restored\", \"item\": \"$1\", \"name\": \"n\", \"compared\": $2, \"not_compared\": ${3:-[]}}"; }
                        plan() { say "{\"event\": \"plan\", \"item\": \"$1\", \"name\": \"n\", \"bytes\": 1}"; }
                        request=$(tr -d '\\' <"$MUSTER_RESTORE")
                        case $request in
                        *'"action":"check"'*) \#(check);;
                        *) cd "$(printf %s "$request" | sed 's/.*"files":"\([^"]*\)".*/\1/')"; \#(restore);;
                        esac
                        say '{"event": "summary"}';;
                    """#)
            dump = scratch.appending("set")
            try FileSystem.createDirectory(dump)
            for name in ["one", "two"] { try write("\(name)\n", to: dump.appending("\(name).dump"), mode: 0o600) }
        }

        private var record: Manifest.DumpRecord {
            func table(_ name: String, _ rows: Int64) -> TableContents {
                TableContents(schema: "s", name: name, rows: rows)
            }
            return PluginHost.Taken(
                plugin: "trial", directory: dump,
                summary: DumpSummary(
                    identity: [:], moment: Moment(.live, from: .now, to: .now),
                    databases: [
                        DatabaseContents(name: "one", path: "one.dump", tables: [table("t", 7)]),
                        DatabaseContents(name: "two", path: "two.dump", tables: [table("t", 2), table("u", 3)]),
                    ])
            ).record
        }

        private var restorer: PluginRestorer {
            PluginRestorer(
                plugin: fixture.plugin, runner: ProgramRunner(keeper: keeperExecutable, log: .silent))
        }

        func restore(_ items: [String] = []) async throws -> RestoreOutcome {
            var request = RestoreRequest()
            request.items = items
            let prepared = try await restorer.prepare(
                request, of: record, reading: NoFiles(), in: TestRun().context)
            return try await prepared.restore(from: dump, in: TestRun().context)
        }

        func drill() async throws -> RestoreOutcome {
            let room = scratch.appending("room-\(UInt32.random(in: .min ... .max))")
            try FileSystem.createDirectory(room)
            return try await restorer.drill(DrillRequest(), of: record, from: dump, in: room, TestRun().context)
        }
    }
}
