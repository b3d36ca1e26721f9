import Conformance
import DumpCore
import Linux
import SystemPackage
import TestSupport
import Testing

@testable import Plugins

/// A plugin does not do what it must: its dump fails with words that help, and nothing else is harmed.
@Suite("Broken plugins")
struct BrokenPluginTests {
    struct Fault: Sendable, CustomTestStringConvertible {
        var name: String
        var dump: String
        var code: String
        /// Parts of what is told: message, hint or context.
        var says: [String]
        var verbs: String

        init(
            _ name: String, _ dump: String, _ code: String, _ says: String..., verbs: String = #""prepare", "dump""#
        ) {
            (self.name, self.dump, self.code, self.says, self.verbs) = (name, dump, code, says, verbs)
        }

        var testDescription: String { name }
    }

    @Test(
        "A dump is good only if the plugin says so, ends well, and has written its units and nothing else",
        arguments: [
            Fault(
                "garbage", "say 'Copying 3 files'; echo x >data; done_", "plugin_protocol", "Copying 3 files",
                "not one JSON object"),
            Fault("no event", "say '{\"a\": 1}'", "plugin_protocol", "no 'event'"),
            Fault("unknown event", "say '{\"event\": \"sumary\"}'", "plugin_protocol", "there is no event 'sumary'"),
            Fault(
                "wrong member", "say '{\"event\": \"progress\", \"unit\": \"../x\", \"bytes\": 1}'", "plugin_protocol",
                "without '..'"),
            Fault(
                "wrong type", "say '{\"event\": \"fact\", \"name\": \"n\", \"value\": 3}'", "plugin_protocol",
                "'value' of 'fact' must be text"),
            Fault(
                "a megabyte", "head -c 1100000 /dev/zero | tr '\\0' x >&5; echo >&5", "plugin_protocol",
                "longer than 64.0 KiB"),
            Fault("no summary", "echo x >data", "incomplete_dump", "ended with status 0 and never said"),
            Fault(
                "bad status", "echo x >data; done_; echo at the end >&2; exit 3", "program_failed",
                "exited with status 3", "at the end"),
            Fault("killed", "kill -9 $$", "program_failed", "ended by signal 9 (SIGKILL)"),
            Fault("after the summary", "echo x >data; done_; unit more", "plugin_protocol", "after the summary"),
            Fault("two summaries", "echo x >data; done_; done_", "plugin_protocol", "after the summary"),
            Fault(
                "no consistency", "echo x >data; say '{\"event\": \"summary\"}'", "plugin_protocol",
                "lacks 'consistency'"),
            Fault(
                "undo without the verb",
                "say '{\"event\": \"undo\", \"id\": \"u1\", \"kind\": \"lock\", \"facts\": {}}'; read -r word",
                "plugin_protocol",
                "plugin.json does not have the verb 'undo'"),
            Fault(
                "undo without a wait",
                "say '{\"event\": \"undo\", \"id\": \"u1\", \"kind\": \"lock\"}'; echo x >data; say '{\"event\": \"undone\", \"id\": \"u1\"}'; done_",
                "plugin_protocol", "went on without waiting for 'go' or 'recorded'",
                verbs: #""prepare", "dump", "undo""#),
            Fault(
                "Muster's own fact", "say '{\"event\": \"fact\", \"name\": \"plugin\", \"value\": \"other 9\"}'",
                "plugin_protocol", "cannot be 'plugin'"),
            Fault(
                "progress of nothing",
                "echo x >data; say '{\"event\": \"progress\", \"unit\": \"datta\", \"bytes\": 1}'; done_",
                "plugin_protocol", "'progress' was said of 'datta', which is not a unit"),
            Fault(
                "a unit of two lines",
                #"printf '%s\n' '{"event": "unit", "name": "a\nb", "path": "more", "bytes": 1}' >&5; sleep 1000"#,
                "plugin_protocol", "'name' of 'unit' must be one line of plain text"),
            Fault(
                "one table twice",
                "echo x >data; for i in 1 2; do say '{\"event\": \"database\", \"name\": \"d\", \"path\": \"data\", \"tables\": [{\"schema\": \"s\", \"name\": \"t\", \"rows\": 1}]}'; done; done_",
                "plugin_protocol", "table 's.t' of database 'd' was said twice"),
            Fault(
                "a table without a schema",
                "echo x >data; say '{\"event\": \"database\", \"name\": \"d\", \"path\": \"data\", \"tables\": [{\"schema\": \"\", \"name\": \"t\", \"rows\": 1}]}'; done_",
                "plugin_protocol", "'schema' of 'database.tables' is empty"),
            Fault("frozen unasked", "say '{\"event\": \"frozen\"}'", "plugin_protocol", "where nothing is frozen"),
            Fault("a unit is missing", "echo x >other; unit other; done_", "incomplete_dump", "'data' is not there"),
            Fault(
                "something else", "echo x >data; echo y >more; done_", "incomplete_dump",
                "'more', which belongs to none"),
            Fault(
                "units in each other", "mkdir more; echo x >data; echo y >more/a; unit more; unit more/a; done_",
                "plugin_protocol",
                "overlaps another one"),
            Fault("nothing written", ": >data; done_", "incomplete_dump", "wrote nothing"),
            Fault("a link", "ln -s /etc/passwd data; done_", "incomplete_dump", "is not a regular file"),
            Fault("a pipe", "mkfifo data; done_", "incomplete_dump", "is not a regular file"),
            Fault("a file of two names", "echo x >data; ln data twin; done_", "incomplete_dump", "has 2 names"),
            Fault(
                "a child", "echo x >data; sleep 1000 5>&- & done_", "incomplete_dump",
                "a process that it had started went on"),
            Fault(
                "its own error",
                "say '{\"event\": \"error\", \"code\": \"server_gone\", \"message\": \"the server went away\", \"hint\": \"Start it.\"}'; exit 1",
                "server_gone", "the server went away", "Start it."),
            Fault(
                "an error and status 0",
                "echo x >data; say '{\"event\": \"error\", \"code\": \"server_gone\", \"message\": \"the server went away\"}'; done_",
                "server_gone", "the server went away"),
            Fault(
                "a failure found",
                "echo x >data; say '{\"event\": \"finding\", \"severity\": \"failure\", \"code\": \"torn\", \"object\": \"o\", \"message\": \"it is torn\"}'; done_",
                "torn", "it is torn"),
            Fault("a terminal", "read -r answer </dev/tty || exit 9", "program_failed", "exited with status"),
            Fault(
                "a database nowhere",
                "echo x >data; say '{\"event\": \"database\", \"name\": \"d\", \"path\": \"elsewhere\"}'; done_",
                "plugin_protocol", "is in none of its units"),
        ])
    func broken(fault: Fault) async throws {
        try await withScratch { scratch in
            let error = try #require(try await PluginFixture(in: scratch, fault.dump, verbs: fault.verbs).error())
            #expect(error.code.rawValue == fault.code, "\(error)")
            for part in fault.says { #expect("\(error)".contains(part), "\(error)") }
            #expect(error.context["dump"] == "app")
            #expect(try FileSystem.names(in: scratch).map(\.string).sorted() == ["dump", "trial"])
        }
    }

    @Test(
        "A plugin of a frozen session says nothing of a dump that it was not told to write",
        arguments: [
            ("frozen; echo x >data; exact", "'go'"),
            ("frozen; echo x >data; sleep 1; exact", "'go'"),
            // After `frozen` it would be too late to tell, if 'go' came first.
            ("unit more; frozen; read -r word", "'unit' was said before 'go'"),
            (
                "say '{\"event\": \"database\", \"name\": \"d\", \"path\": \"data\"}'; sleep 1000",
                "'database' was said before 'go'"
            ),
        ])
    func early(dump: String, message: String) async throws {
        try await withScratch { scratch in
            let words = """
                frozen() { say '{"event": "frozen"}'; }; exact() { say '{"event": "summary", "consistency": "exact"}'; }
                """
            let fixture = try PluginFixture(in: scratch, "\(words); \(dump)", freeze: "session")
            let error = try #require(try await fixture.error())
            #expect(error.code.rawValue == "plugin_protocol" && error.message.contains(message), "\(error)")
        }
    }

    @Test("A line with a secret in it is called so, and not shown")
    func secretEvent() async throws {
        try await withScratch { scratch in
            let fixture = try PluginFixture(
                in: scratch,
                #"say "{\"event\": \"fact\", \"name\": \"n\", \"value\": \"$(cat $MUSTER_SECRET_PASSWORD)\"}""#,
                members: #""secrets": {"password": "P."},"#)
            try write("hunter2hunter2\n", to: scratch.appending("secret"), mode: 0o600)
            var settings = PluginSettings()
            settings.secrets["password"] = .file(scratch.appending("secret").string)
            let error = try #require(try await fixture.error(settings))
            #expect(error.message == "plugin 'trial' does not keep to the protocol: a line holds a secret")
            #expect(!"\(error)".contains("hunter2"))
        }
    }

    @Test("A change that cannot be undone is in the error of the dump, with what the plugin says to do")
    func notUndone() async throws {
        try await withScratch { scratch in
            let journal = MemoryJournal()
            let change =
                #"say '{"event": "undo", "id": "m1", "kind": "mark", "facts": {}}'; read -r word; echo x >data"#
            let undo =
                #"undo) say '{"event": "error", "code": "stuck", "message": "it is stuck", "hint": "Unlock it by hand."}'; exit 1;;"#
            let fixture = try PluginFixture(
                in: scratch, change + "; done_", verbs: #""prepare", "dump", "undo""#, others: undo)
            let error = await #expect(throws: DumpError.self) { try await fixture.dump(run: TestRun(journal: journal)) }
            #expect(error?.code.rawValue == "stuck")
            #expect(error?.message == "plugin 'trial' could not undo its change 'mark': it is stuck")
            #expect(
                error?.hint == "Unlock it by hand. The change is still there, and on record: muster undo tries again.")
            #expect(journal.open.count == 1)
        }
    }

    @Test("An error of the dump says too what its plugin could not undo")
    func failedAndNotUndone() async throws {
        try await withScratch { scratch in
            let fixture = try PluginFixture(
                in: scratch,
                #"say '{"event": "undo", "id": "m1", "kind": "mark", "facts": {}}'; read -r word; exit 3"#,
                verbs: #""prepare", "dump", "undo""#, others: "undo) exit 4;;")
            let error = try #require(try await fixture.error())
            #expect(error.message == "plugin 'trial' exited with status 3 in dump")
            #expect(
                error.context["not_undone"]
                    == "plugin 'trial' could not undo its change 'mark': plugin 'trial' exited with status 4 in undo")
            #expect(error.hint?.contains("muster undo tries again") == true)
        }
    }

    @Test("An error that the plugin calls transient is one")
    func transient() async throws {
        try await withScratch { scratch in
            let event =
                "{\\\"event\\\": \\\"error\\\", \\\"code\\\": \\\"busy\\\", \\\"message\\\": \\\"try again\\\", \\\"transient\\\": true}"
            let error = try await PluginFixture(in: scratch, "say \"\(event)\"; exit 1").error()
            #expect(error?.isTransient == true)
        }
    }

    @Test("A plugin that hangs is stopped with all that it has started when its dump is cancelled")
    func cancelled() async throws {
        try await withScratch { scratch in
            let pids = scratch.appending("pids")
            let fixture = try PluginFixture(
                in: scratch, "setsid sleep 1000 & echo $! $$ >\(pids).new; mv \(pids).new \(pids); wait")
            let dump = Task { try await fixture.error() }
            try await eventually { (try? FileSystem.status(of: pids)) != nil }
            dump.cancel()
            #expect(try await dump.value?.code == .cancelled)
            for pid in try read(pids).split(whereSeparator: \.isWhitespace) {
                #expect(!isAlive(try #require(Int32(pid))), "process \(pid) is left")
            }
        }
    }

    @Test("A plugin that does not end within the deadline of its dump is stopped")
    func hangs() async throws {
        // On a busy machine prepare may take all of the first deadline.
        var error: DumpError?
        for seconds in [3, 30, 120] where error?.context["stderr"] == nil {
            error = try await withScratch { scratch in
                try await PluginFixture(in: scratch, "echo waiting for the lock; exec sleep 1000").error(
                    deadline: .seconds(seconds))
            }
        }
        #expect(error?.code == .deadline && error?.context["stderr"] == "waiting for the lock", "\(error as Any)")
        #expect(error?.hint == "Raise 'deadline:', or find out what plugin 'trial' waits for: run it with -vv.")
    }

    @Test("The deadline holds for a file of holes too, which takes as long to seal as a full one")
    func holes() async throws {
        try await withScratch { scratch in
            let fixture = try PluginFixture(in: scratch, "truncate -s 4T data; done_")
            #expect(try await fixture.error(deadline: .seconds(2))?.code == .deadline)
        }
    }

    @Test("Prepare that finds nothing is an error, and a failure that it finds keeps the dump from starting")
    func prepare() async throws {
        try await withScratch { scratch in
            let error = try await PluginFixture(in: scratch, "done_", prepare: "done_").error()
            #expect(error?.message.contains("found nothing to dump") == true)
        }
        try await withScratch { scratch in
            let finding =
                #"say '{"event": "finding", "severity": "failure", "code": "too_old", "object": "s", "message": "the server is too old"}'"#
            let error = try await PluginFixture(in: scratch, "touch never", prepare: "unit data; \(finding); done_")
                .error()
            #expect(error?.message == "the server is too old")
            #expect(try FileSystem.names(in: scratch.appending("dump")).isEmpty)
        }
    }

    @Test("Standard error is the log, and a secret that the plugin prints is not shown")
    func secretIsNotShown() async throws {
        try await withScratch { scratch in
            let fixture = try PluginFixture(
                in: scratch, "cat $MUSTER_SECRET_PASSWORD >&2; echo >&2; echo told >&2; exit 1",
                members: #""secrets": {"password": "P."},"#)
            try write("hunter2hunter2\n", to: scratch.appending("secret"), mode: 0o600)
            var settings = PluginSettings()
            settings.secrets["password"] = .file(scratch.appending("secret").string)
            let run = TestRun()
            let directory = scratch.appending("out")
            try FileSystem.createDirectory(directory)
            let error = await #expect(throws: DumpError.self) {
                try await run.dump(fixture.provider(settings, log: run.context.log), into: directory)
            }
            #expect(error?.context["stderr"]?.contains("told") == true)
            #expect(!String(describing: error).contains("hunter2"))
            #expect(!run.logged.all.contains { $0.contains("hunter2") })
        }
    }
}
