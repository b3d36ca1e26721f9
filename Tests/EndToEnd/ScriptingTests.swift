import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

@Suite("The JSON documents")
struct ScriptingTests {
    @Test("of every command have a version, and no key that docs/scripting.md does not explain")
    func documents() async throws {
        try await TestHost.with { host in
            try await host.prepareDocuments()
            let page = try KeyTables("scripting.md")
            for (heading, document) in try await host.documents() {
                let tree = try JSONTree(document)
                let version: Double = Self.lists.contains(heading) ? 2 : 1
                // Events are a document each.
                let parts = heading == "progress" ? tree.elements : [tree]
                #expect(!parts.isEmpty, "\(heading) shows something")
                for part in parts { #expect(part["format_version"] == .number(version), "\(heading): \(document)") }
                let unknown = try page.unknownKeys(of: tree, below: heading)
                #expect(unknown == [], "\(heading)")
            }
        }
    }

    /// They were lists in version 1.
    private static let lists: Set = ["list", "info", "prune-check-repository", "undo", "accept", "notify"]

    @Test("name no key that the program does not have")
    func pages() throws {
        let declared = try declaredNames()
        for page in ["scripting.md", "manifest.md"] {
            let keys = try KeyTables(page).keys.flatMap { $0.split(separator: ".") }.map(String.init)
            #expect(keys.count > 30)
            for key in Set(keys) { #expect(declared.contains(key.property), "\(key)") }
        }
    }

    /// The words of all sources that follow `case`, `var` or `let`.
    private func declaredNames() throws -> Set<String> {
        let words = try Sources.all().flatMap { $0.text.utf8.split { !Self.isOfName($0) } }
        let declared = zip(words, words.dropFirst()).filter { Self.declarations.contains(String($0.0)!) }
        return Set(declared.map { String($0.1)! })
    }

    private static let declarations: Set = ["case", "var", "let"]

    private static func isOfName(_ byte: UInt8) -> Bool {
        switch UnicodeScalar(byte) {
        case "_", "0"..."9", "A"..."Z", "a"..."z": true
        default: false
        }
    }

    @Test(
        "are there when a command fails without one, with the error that people read on standard error",
        arguments: [
            ("check --config $SCRATCH/wrong.yaml --json", 78, "job_invalid"), ("list --jsn --json", 64, "command_line"),
            ("verify --config $JOB --json", 5, "not_a_set"), ("nosuch --json", 64, "command_line"),
            ("undo nosuch --json", 78, "job_not_found"),
        ])
    func errors(command: String, status: Int32, code: String) async throws {
        try await SmallJob.with { job in
            try write("staging: /x\n", to: job.scratch.appending("wrong.yaml"))
            let result = try await job.run("SCRATCH=\(job.scratch); exec \"$MUSTER\" \(command)")
            #expect(result.status == .exited(status), "\(result.errors)")
            let document = try JSONTree(result.output)
            #expect(document["error"]?["code"] == .text(code), "\(result.output)")
            #expect(document["exit_status"] == .number(Double(status)))
            #expect(try KeyTables("scripting.md").unknownKeys(of: document, below: "when-a-command-fails") == [])
            guard case .text(let message)? = document["error"]?["message"] else {
                throw HostError(description: result.output)
            }
            #expect(code == "job_invalid" || result.errors.contains(message), "\(result.errors)")
        }
    }

    @Test("that are a job file load as one: config show")
    func withoutVersion() async throws {
        try await TestHost.with { host in
            try await host.mustSucceed("run")
            let accepted = try await host.mustSucceed("accept", "--clock", "--json")
            guard case .text(let sentence)? = try JSONTree(accepted)["accepted"]?.elements.first else {
                throw HostError(description: accepted)
            }
            #expect(sentence.hasPrefix("repository local: the clock is right, "))
            #expect(try KeyTables("scripting.md").unknownKeys(of: JSONTree(accepted), below: "accept") == [])
            let shown = try await host.shell("\"$MUSTER\" config show \"$JOB\" --json")
            let copy = host.scratch.appending("copy.json")
            try write(shown.output, to: copy)
            let checked = try await host.shell("\"$MUSTER\" config check \(copy) --json")
            #expect(checked.status == .exited(0), "\(checked.errors)")
        }
    }
}

extension TestHost {
    fileprivate var restored: FilePath { scratch.appending("restored") }

    /// A job with a dump of each kind and something in every list of a document.
    fileprivate mutating func prepareDocuments() async throws {
        let tree = scratch.appending("tree")
        try FileSystem.createDirectory(tree)
        try write("a", to: tree.appending("file"))
        try write("excluded", to: tree.appending("x.tmp"))
        job.dumpLines += [
            "  files:", "    provider: directory", "    path: \(tree)", "    exclude: [\"*.tmp\"]",
        ]
        job.repositoryLines += ["    keep: {last: 2}", "    check: {every: 1d}"]
        job.lines += [
            "hooks: {before: [test, -n, a], on_success: [test, -n, '']}",
            "notify: {good: {command: [test, -n, a], on: [start, success]}, bad: {command: [test, -n, ''], on: [success]}}",
        ]
        try await sql(
            """
            CREATE SEQUENCE numbers; SELECT nextval('numbers');
            ALTER DATABASE shop SET work_mem = '5MB';
            ALTER ROLE clerk SET work_mem = '6MB';
            ALTER TABLE orders ADD CONSTRAINT noted CHECK (note <> '') NOT VALID;
            CREATE EXTENSION pgcrypto;
            GRANT clerk TO postgres
            """, in: "shop")
    }

    /// What each command prints, by the heading that it is explained below.
    fileprivate func documents() async throws -> [(heading: String, document: String)] {
        var all = [("check", try await mustSucceed("check", "--json"))]
        all.append(("run-dump-archive", try await mustSucceed("run", "--json")))
        all += try await documentsOfArchives()
        all += try await documentsOfFailures()
        for kept in ["repositories/local.json", "job.json"] {
            let heading = kept == "job.json" ? "the-record-of-the-job" : "the-ledger-of-a-repository"
            all.append((heading, try read(staging.pushing(FilePath(kept)))))
        }
        return all
    }

    private func documentsOfArchives() async throws -> [(String, String)] {
        let first = try await newestArchive()
        try await sql("DELETE FROM orders WHERE id > 10; CREATE TABLE further (id int)", in: "shop")
        try write("b", to: scratch.pushing("tree/another"))
        let dump = try await mustSucceed("dump", "--json")
        let progress = try await muster("archive", "--json", "--progress", "json")
        try #require(progress.status == .exited(0), "\(progress.errors)")
        let events = progress.errors.split(separator: "\n").filter { $0.hasPrefix("{") }
        return [
            ("run-dump-archive", dump), ("run-dump-archive", progress.output),
            ("progress", "[" + events.joined(separator: ",") + "]"), ("list", try await mustSucceed("list", "--json")),
            ("list-archive", try await mustSucceed("list", "latest", "--json")),
            ("info", try await mustSucceed("info", "latest", "--json")),
            ("diff", try await mustSucceed("diff", first, "latest", "--json")),
            ("extract", try await mustSucceed("extract", "latest", "--into", restored.string, "--json")),
            ("prune-check-repository", try await mustSucceed("prune", "--json", "--dry-run")),
            ("prune-check-repository", try await mustSucceed("check-repository", "--json")),
            ("notify", try await muster("notify", "--json").output),
            ("config-check", try await shell("\"$MUSTER\" config check \"$JOB\" --json").output),
        ]
    }

    /// After what is no longer good: a set with a changed file, a record that no provider knows, a server that is gone.
    private func documentsOfFailures() async throws -> [(String, String)] {
        try write("changed", to: restored.pushing("app/globals.sql"))
        var all = [("verify", try await muster("verify", "--set", restored.string, "--json").output)]
        let run = "20260101T000000Z-0000"
        try write(
            """
            {"kind":"undo","run":"\(run)","undo":{"run":"\(run)","dump":"app","kind":"unknown","facts":{"a":"b"},"serial":1,
            "owner":{"pid":1,"start_ticks":1,"boot_id":"x"},"at":"2026-01-01T00:00:00.000Z"}}
            """, to: staging.appending("journal").appending("\(run).undo.app.unknown.1.json"))
        all.append(("undo", try await muster("undo", "--json").output))
        all.append(("release", try await muster("release", "--json").output))
        try await server.stop()
        all.append(("run-dump-archive", try await muster("run", "--json").output))
        all.append(("check", try await muster("check", "--json").output))
        all.append(("status", try await mustSucceed("status", "--json")))
        all.append(
            (
                "status-of-all-jobs",
                try await shell("MUSTER_CONFIG_DIRECTORY=$(dirname \"$JOB\") \"$MUSTER\" status --all --json").output
            ))
        return all
    }
}

extension String {
    /// The name in Swift of a key in snake case.
    fileprivate var property: String {
        let words = split(separator: "_").map(String.init)
        return words[0]
            + words.dropFirst().map {
                ["id": "ID", "sha256": "SHA256"][$0] ?? $0.prefix(1).uppercased() + $0.dropFirst()
            }
            .joined()
    }
}
