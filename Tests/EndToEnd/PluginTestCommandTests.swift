import Linux
import SystemPackage
import TestSupport
import Testing

/// `muster plugins test` on plugins that keep their promises in part.
@Suite("Tests of plugins")
struct PluginTestCommandTests {
    @Test("A plugin that cannot be dumped is told why once, and no claim about its dumps holds")
    func failing() async throws {
        try await TestHost.withFiles { host in
            try host.plugin(dump: "echo no server >&2; exit 3")
            let test = try await host.test()
            #expect(test.status == .exited(1) && test.output.isEmpty, "\(test.output)")
            #expect(test.errors.contains("plugin 'trial' exited with status 3 in dump"), "\(test.errors)")
            #expect(test.errors.contains("no claim was checked"), "\(test.errors)")
        }
    }

    @Test("A restore that fails, and one that compares nothing, fail the claim that a dump can be restored")
    func restore() async throws {
        try await TestHost.withFiles { host in
            let claim = "What was dumped can be restored: a drill proves it"
            try host.plugin(dump: "echo x >data; end", others: "restore) exit 3;;", verbs: #", "restore""#)
            let failing = try await host.test()
            #expect(
                failing.status == .exited(1) && failing.output.contains("FAILS        \(claim)"), "\(failing.output)")
            try host.plugin(
                dump: "echo x >data; end",
                others:
                    #"restore) say '{"event": "restored", "item": "d", "name": "n", "compared": {"files": 1}}'; end;;"#,
                verbs: #", "restore""#)
            #expect(try await host.test().output.contains("holds        \(claim)"))
            try host.plugin(dump: "echo x >data; end")
            #expect(try await host.test().output.contains("not checked  \(claim)"))
        }
    }

    @Test("A secret that lands in a file of the dump, and one that is said, are found")
    func secrets() async throws {
        try await TestHost.withFiles { host in
            try write("hunter2hunter2", to: host.scratch.appending("token"))
            try write("token: {file: \(host.scratch)/token}\n", to: host.settings)
            let claim = "No secret shows in the log, the findings, the summary, an error or a file"
            try host.plugin(dump: "echo x >data; end", members: #""secrets": {"token": "T."},"#)
            #expect(try await host.test().output.contains("holds        \(claim)"))
            try host.plugin(dump: "cat $MUSTER_SECRET_TOKEN >data; end", members: #""secrets": {"token": "T."},"#)
            let leaking = try await host.test()
            #expect(leaking.output.contains("FAILS        \(claim)"), "\(leaking.output)")
        }
    }

    @Test("An undo that does nothing fails once the program of a dump is killed, and so does none")
    func undo() async throws {
        try await TestHost.withFiles { host in
            let (stopped, killed) = (
                "A dump that is stopped leaves the source as it was",
                "A dump whose program is killed leaves the source as it was"
            )
            // The source is locked while a dump runs, and held up while there is a file 'held'.
            let lock = host.scratch.appending("lock")
            let dump = """
                say '{"event": "undo", "id": "l", "kind": "lock", "facts": {}}'; read -r word; trap 'rm -f \(lock)' EXIT; trap 'exit 1' TERM
                touch \(lock); say '{"event": "progress", "unit": "data", "bytes": 0}'
                while [ -e \(host.scratch)/held ]; do sleep 0.05; done; echo x >data
                rm \(lock); say '{"event": "undone", "id": "l"}'; end
                """
            let commands = [
                "--fingerprint", "ls", "--hold", "touch held; trap 'rm -f held; exit' TERM; echo held; sleep 60 & wait",
            ]
            try host.plugin(dump: dump, others: "undo) rm -f \(lock); end;;", verbs: #", "undo""#)
            let good = try await host.test(commands)
            #expect(good.status == .exited(0), "\(good.output)\(good.errors)")
            #expect(good.output.contains("holds        \(stopped)") && good.output.contains("holds        \(killed)"))
            try host.plugin(dump: dump, others: "undo) end;;", verbs: #", "undo""#)
            let idle = try await host.test(commands)
            #expect(idle.output.contains("FAILS        \(killed)"), "\(idle.output)")
            try FileSystem.removeFile(lock)
            try host.plugin(
                dump: """
                    touch \(lock); say '{"event": "progress", "unit": "data", "bytes": 0}'
                    while [ -e \(host.scratch)/held ]; do sleep 0.05; done; rm \(lock); echo x >data; end
                    """)
            let silent = try await host.test(commands)
            #expect(silent.output.contains("FAILS        \(stopped)"), "\(silent.output)")
        }
    }

    @Test(
        "A command of the author that fails is an error, not a claim that could not be checked",
        arguments: ["--fingerprint", "--damage", "--hold"])
    func command(option: String) async throws {
        try await TestHost.withFiles { host in
            try host.plugin(dump: "echo x >data; end")
            let test = try await host.test([option, "echo broken >&2; exit 9"])
            #expect(test.status == .exited(1))
            #expect(test.output.contains("the command of \(option) exited with status 9"), "\(test.output)")
            #expect(test.output.contains("stderr: broken") && !test.output.contains("\\012"), "\(test.output)")
        }
    }

    @Test("No plugin is called like a kind that is built in")
    func name() async throws {
        try await TestHost.withFiles { host in
            let refusal = "no plugin can be called 'command': a kind that is built in has this name"
            let made = try await host.command(
                musterExecutable, "plugins", "new", "command", "--into", host.plugins.string)
            #expect(made.status == .exited(1) && made.errors.contains(refusal), "\(made.errors)")
            try host.plugin(dump: "end")
            try await output("mv", "\(host.plugins)/trial", "\(host.plugins)/command")
            let list = try await host.command(musterExecutable, "plugins", "list", "--path", host.plugins.string)
            #expect(
                list.output.contains(refusal) && list.output.contains("\n  hint: Call it otherwise"), "\(list.output)")
            let test = try await host.command(
                musterExecutable, "plugins", "test", "\(host.plugins)/command", "--config", host.settings.string)
            #expect(test.status == .exited(78) && test.errors.contains(refusal), "\(test.errors)")
        }
    }

    @Test("A restore says that a plugin is not installed, and what was kept is asked only of the job's own servers")
    func missing() async throws {
        try await TestHost.withFiles { host in
            try host.plugin(dump: "echo x >data; end", others: "restore) exit 3;;", verbs: #", "restore""#)
            host.job.lines += ["plugin_path: [\(host.plugins)]"]
            host.job.dumpLines += ["  told:", "    provider: trial"]
            try await host.mustSucceed("run")
            let restore = try await host.muster(
                "restore", "latest", "--dump", "told", "--plugin-path", host.scratch.appending("none").string)
            #expect(restore.errors.contains("is of plugin 'trial', which is not installed here"), "\(restore.errors)")
            #expect(restore.errors.contains("hint: Install it in /etc/muster/plugins"), "\(restore.errors)")
            let kept = try await host.mustSucceed("restore", "--drop-old")
            #expect(kept.contains("no restore has kept anything"), "\(kept)")
        }
    }

    @Test("A change that its plugin could not undo is in check, and undo says what the plugin says")
    func notUndone() async throws {
        try await TestHost.withFiles { host in
            try host.plugin(
                dump:
                    #"say '{"event": "undo", "id": "l", "kind": "lock", "facts": {}}'; read -r word; echo x >data; end"#,
                others:
                    #"undo) say '{"event": "error", "code": "stuck", "message": "it is stuck", "hint": "Unlock it."}'; exit 1;;"#,
                verbs: #", "undo""#)
            host.job.lines += ["plugin_path: [\(host.plugins)]"]
            host.job.dumpLines += ["  locked:", "    provider: trial"]
            let run = try await host.muster("run")
            #expect(run.status == .exited(3) && run.errors.contains("The change is still there"), "\(run.errors)")
            let check = try await host.muster("check")
            #expect(check.output.contains("plugin_trial of dump 'locked', which is not undone"), "\(check.output)")
            let undo = try await host.muster("undo")
            #expect(undo.status == .exited(1) && undo.output.contains("Unlock it."), "\(undo.output)")
        }
    }
}

extension TestHost {
    fileprivate var plugins: FilePath { scratch.appending("plugins") }
    fileprivate var settings: FilePath { scratch.appending("settings.yaml") }

    /// Writes a plugin in sh, in the place of the last one.
    fileprivate func plugin(
        dump: String, others: String = "", verbs: String = "", members: String = ""
    ) throws {
        try FileTree(plugins).remove()
        let directory = plugins.appending("trial")
        for path in [plugins, directory] { try FileSystem.createDirectory(path, mode: 0o755) }
        try write(
            """
            {"protocol": 1, "name": "trial", "version": "1", "summary": "A trial.", "verbs": ["prepare", "dump"\(verbs)], \(members)
             "freeze": "none"}
            """, to: directory.appending("plugin.json"), mode: FilePermissions(rawValue: 0o644))
        try write(
            """
            #!/bin/sh
            exec 5>&1 1>&2
            say() { printf '%s\\n' "$1" >&5; }
            end() { say '{"event": "summary", "consistency": "exact"}'; }
            case $1 in
            prepare) say '{"event": "fact", "name": "kind", "value": "trial"}'
                say '{"event": "unit", "name": "data", "path": "data", "bytes": 1}'; end;;
            dump) say '{"event": "fact", "name": "kind", "value": "trial"}'; \(dump);;
            \(others)
            esac
            """, to: directory.appending("trial"), mode: FilePermissions(rawValue: 0o755))
        if (try? FileSystem.status(of: settings)) == nil { try write("{}\n", to: settings) }
    }

    fileprivate func test(_ options: [String] = []) async throws -> Command.Result {
        let words = [
            musterExecutable.string, "plugins", "test", plugins.appending("trial").string, "--config", settings.string,
        ]
        return try await shell(
            "cd \(scratch.string.quoted) && exec \((words + options).map(\.quoted).joined(separator: " "))")
    }
}

extension String {
    fileprivate var quoted: String { "'\(replacing("'", with: "'\\''"))'" }
}
