import Conformance
import DumpCore
import Glibc
import Linux
import Processes
import Settings
import SystemPackage
import TestSupport
import Testing

@testable import Plugins

@Suite("Plugins")
struct PluginTests {
    @Test("A program finds its settings, its secrets and its names, and nothing of ours")
    func environment() async throws {
        try await withScratch { scratch in
            let fixture = try PluginFixture(
                in: scratch,
                """
                env | sort >data; cat $MUSTER_SETTINGS >>data; cat $MUSTER_SECRET_KEY_A >>data; pwd -P >>data
                stat -L -c %a $MUSTER_SETTINGS >>data; [ -t 0 ] || [ -t 1 ] || [ -t 2 ] || echo none >>data
                done_
                """,
                members: """
                    "secrets": {"key-a": "A key."},
                    "settings": {"properties": {
                        "path": {"type": "string", "description": "P."}, "max-age": {"type": "string", "format": "duration", "description": "M.", "default": "2m"},
                        "deep": {"type": "boolean", "description": "D.", "default": false}, "names": {"type": "array", "items": {"type": "string"}, "description": "N."},
                        "none": {"type": "integer", "description": "N."}}, "required": ["path"]},
                    """)
            try write("s3cret-word\n", to: scratch.appending("secret"), mode: 0o600)
            var settings = fixture.plugin.description.standardSettings
            settings.values["path"] = .text("/a 'b\"")
            settings.values["names"] = .list(["one", "two"])
            settings.secrets["key-a"] = .file(scratch.appending("secret").string)
            try await fixture.dump(settings)
            let text = try read(scratch.appending("dump/data"))
            let lines = text.split(separator: "\n").map(String.init)
            for line in [
                "MUSTER_PROTOCOL=1", "MUSTER_VERB=dump", "MUSTER_JOB=nightly", "MUSTER_DUMP=app", "MUSTER_JOBS=1",
                "MUSTER_SETTING_PATH=/a 'b\"", "MUSTER_SETTING_MAX_AGE=120", "MUSTER_SETTING_DEEP=false",
                "LC_ALL=C.UTF-8",
                "s3cret-word\(scratch.appending("dump"))", "600", "none",
            ] { #expect(lines.contains(line), "\(line) is not in \(text)") }
            #expect(text.contains("\"max-age\": 120"))
            #expect(text.contains("\"names\": [\n"))
            #expect(!text.contains("SETTING_NAMES") && !text.contains("\"none\""))
            let allowed = ["PATH", "HOME", "USER", "LOGNAME", "TMPDIR", "TZ", "LC_ALL", "PWD", "OLDPWD", "SHLVL", "_"]
            for line in lines where line.contains("=") && !line.hasPrefix("MUSTER_") {
                #expect(allowed.contains(String(line.prefix { $0 != "=" })), "\(line)")
            }
        }
    }

    @Test("What a plugin says is recorded: facts, units, databases, omissions, and what the dump is as of")
    func recorded() async throws {
        try await withScratch { scratch in
            let fixture = try PluginFixture(
                in: scratch,
                #"""
                mkdir more; echo x >data; echo y >more/deep; unit more
                say '{"event": "fact", "name": "server_version", "value": "9.1", "unknown": [1.5]}'
                say '{"event": "omission", "severity": "warning", "code": "table_locked", "object": "t", "message": "it is locked"}'
                say '{"event": "database", "name": "d", "path": "more/deep", "tables": [{"schema": "s", "name": "t", "rows": 3}]}'
                say '{"event": "summary", "consistency": "window", "evidence": {"attempts": "2"}}'
                """#)
            let summary = try await fixture.dump()
            #expect(summary.identity["plugin"] == "trial 1")
            #expect(summary.identity["server_version"] == "9.1")
            #expect(summary.omissions.map(\.code) == ["table_locked"])
            #expect(
                summary.databases == [
                    DatabaseContents(
                        name: "d", path: "more/deep", tables: [TableContents(schema: "s", name: "t", rows: 3)])
                ])
            #expect(summary.moment.kind == .window)
            #expect(summary.moment.evidence == ["attempts": "2"])
        }
    }

    @Test("A frozen source is dumped as of the freeze, and is let go when the dump is given up")
    func frozen() async throws {
        try await withScratch { scratch in
            let source = scratch.appending("source")
            try FileSystem.createDirectory(source)
            try write("one\n", to: source.appending("a"), mode: 0o600)
            let provider = try notes(at: source)
            let run = TestRun()
            var context = run.context
            context.directory = scratch.appending("dump")
            try FileSystem.createDirectory(scratch.appending("dump"))
            try await run.prepared(provider) { prepared in
                let frozen = try await prepared.freeze(in: context)
                #expect(!mayWrite(to: source))
                let summary = try await frozen.dump(into: scratch.appending("dump"), in: context)
                await frozen.release()
                #expect(summary.moment.kind == .exact)
                #expect(mayWrite(to: source))

                try FileSystem.createDirectory(scratch.appending("second"))
                context.directory = scratch.appending("second")
                let given = try await prepared.freeze(in: context)
                #expect(!mayWrite(to: source))
                await given.release()
                #expect(mayWrite(to: source))
            }
        }
    }

    @Test(
        "A program that never says frozen, or ends instead, is an error of the freeze",
        arguments: ["exit 0", "done_", "say '{\"event\": \"frozen\"}'; say '{\"event\": \"frozen\"}'; sleep 1000"])
    func notFrozen(dump: String) async throws {
        try await withScratch { scratch in
            let error = try await PluginFixture(in: scratch, dump, freeze: "session").error()
            #expect(["plugin_protocol", "incomplete_dump"].contains(error?.code.rawValue))
        }
    }

    @Test("A change is on record before it is made, and forgotten once it is undone")
    func change() async throws {
        try await withScratch { scratch in
            let mark = scratch.appending("mark")
            let fixture = try PluginFixture(
                in: scratch,
                #"""
                say '{"event": "undo", "id": "m1", "kind": "mark", "facts": {"path": "\#(mark)"}}'; read -r word
                [ "$word" = "recorded m1" ] || exit 4
                touch \#(mark); echo x >data; rm \#(mark)
                say '{"event": "undone", "id": "m1"}'; done_
                """#, verbs: #""prepare", "dump", "undo""#, others: "undo) exit 5;;")
            let journal = MemoryJournal()
            try await fixture.dump(run: TestRun(journal: journal))
            #expect(journal.all.map(\.kind) == ["plugin_trial"])
            #expect(journal.open.isEmpty)
        }
    }

    @Test("What a plugin that died has changed is undone by its own verb, from the record alone")
    func changeOfTheDead() async throws {
        try await withScratch { scratch in
            let mark = scratch.appending("mark")
            let fixture = try PluginFixture(
                in: scratch,
                #"""
                say '{"event": "undo", "id": "m1", "kind": "mark", "facts": {"path": "\#(mark)"}}'; read -r word
                touch \#(mark); kill -9 $$
                """#, verbs: #""prepare", "dump", "undo""#,
                others: #"""
                    undo) grep -q '"kind":"mark"' $MUSTER_UNDO && rm -f \#(mark); done_;;
                    """#)
            let journal = MemoryJournal()
            let directory = scratch.appending("out")
            try FileSystem.createDirectory(directory)
            await #expect(throws: DumpError.self) {
                try await TestRun(journal: journal).dump(fixture.provider(), into: directory)
            }
            #expect((try? FileSystem.status(of: mark)) == nil)
            #expect(journal.all.count == 1 && journal.open.isEmpty)

            // A run that died is undone by the next, once or twice.
            try write("", to: mark, mode: 0o600)
            for _ in 1...2 { try await fixture.provider().undo(journal.all[0], in: TestRun().context) }
            #expect((try? FileSystem.status(of: mark)) == nil)
        }
    }

    private func notes(at source: FilePath) throws -> PluginProvider {
        let plugin = try Plugin(PluginFixture.examples.appending("notes"))
        var settings = plugin.description.standardSettings
        settings.values["path"] = .text(source.string)
        return PluginProvider(
            plugin: plugin, settings: settings,
            means: ProviderMeans(job: "nightly", runner: ProgramRunner(keeper: keeperExecutable, log: .silent)))
    }

    private func mayWrite(to source: FilePath) -> Bool {
        guard
            let lock = try? FileDescriptor.open(
                source.appending("lock"), .readWrite, options: [.create, .closeOnExec], permissions: .ownerReadWrite)
        else { return false }
        defer { try? lock.close() }
        return flock(lock.rawValue, LOCK_EX | LOCK_NB) == 0
    }
}
