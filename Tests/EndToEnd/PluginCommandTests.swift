import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

/// Plugins as an operator and an author meet them.
@Suite("Plugins in use")
struct PluginCommandTests {
    private static let examples = FilePath(#filePath).removingLastComponent().removingLastComponent()
        .appending("PluginTests/Examples")

    @Test("A run archives what plugins dump, a restore brings it back, and a drill proves it")
    func roundTrip() async throws {
        try await TestHost.withFiles { host in
            let notes = host.scratch.appending("notes")
            try FileSystem.createDirectory(notes)
            try write("milk\n", to: notes.appending("a list"))
            host.job.lines += ["plugin_path: [\(Self.examples)]"]
            host.job.dumpLines += [
                "  one:", "    provider: note", "    path: \(host.letter)", "  many:", "    provider: notes",
                "    path: \(notes)", "  told:", "    provider: command", "    command: [[cat, \(host.letter)], [rev]]",
            ]
            try await host.mustSucceed("run")
            #expect(try read(host.current.appending("one/note")) == "dear\n")
            #expect(try read(host.current.appending("told/output")) == "raed\n")

            let back = host.scratch.appending("back")
            let planned = try await host.mustSucceed(
                "restore", "latest", "--dump", "many", "--to", back.string, "--dry-run")
            #expect(planned.contains("all notes"), "\(planned)")
            #expect((try? FileSystem.status(of: back)) == nil)
            try await host.mustSucceed("restore", "latest", "--dump", "many", "--to", back.string)
            #expect(try read(back.appending("a list")) == "milk\n")

            // The example in sh cannot restore, which a drill must not pass over.
            let drill = try await host.muster("drill")
            #expect(drill.status == .exited(7))
            #expect(
                drill.output.contains("dump 'one' is of kind 'note', which this Muster cannot restore"),
                "\(drill.output)")
        }
    }

    @Test("A drill of a plugin's dump is isolated, whatever directory the plugin is in")
    func drill() async throws {
        try await TestHost.withFiles { host in
            let notes = host.scratch.appending("notes")
            try FileSystem.createDirectory(notes)
            try write("milk\n", to: notes.appending("a"))
            host.job.lines += ["plugin_path: [\(Self.examples)]"]
            host.job.dumpLines += ["  many:", "    provider: notes", "    path: \(notes)"]
            try await host.mustSucceed("run")
            let proven = try await host.mustSucceed("drill")
            #expect(proven.contains("many"), "\(proven)")
            #expect(!proven.contains("without isolation"), "\(proven)")
        }
    }

    @Test("A server in a container is dumped through its socket, and one that does not run is told")
    func postgreSQLInContainer() async throws {
        try await TestHost.with { host in
            // A process whose root is ours stands for the first of the container.
            try host.fake("docker", "#!/bin/sh\n[ \"$1 $4\" = 'inspect db' ] || exit 1\necho \(getpid())\n")
            try write("secret\n", to: host.scratch.appending("password"))
            host.job.dumpLines = [
                "    container: {name: db}", "    password: {file: \(host.scratch.appending("password"))}",
            ]
            // Only root reaches into a container, and nobody is another there.
            try await host.server.psql("CREATE ROLE root SUPERUSER LOGIN PASSWORD 'secret'")
            host.job.connection = host.server.connection(as: "root")
            try await host.mustSucceed("run")
            let dump = try read(host.current.appending("manifest.json"))
            #expect(dump.contains("\"shop\""), "\(dump)")

            try host.fake("docker", "#!/bin/sh\necho 0\n")
            let stopped = try await host.muster("check")
            #expect(stopped.output.contains("container 'db' does not run"), "\(stopped.output)\(stopped.errors)")
            host.job.dumpLines += ["    run_as: postgres"]
            #expect(try await host.muster("check").errors.contains("only root reaches into a container"))
        }
    }

    @Test("A dump that a plugin fails is the only one that is blamed, and nothing is published")
    func failure() async throws {
        try await TestHost.withFiles { host in
            host.job.lines += ["plugin_path: [\(Self.examples)]"]
            host.job.dumpLines += ["  many:", "    provider: notes", "    path: \(host.scratch)/nowhere"]
            let run = try await host.muster("run")
            #expect(run.status == .exited(3))
            #expect(run.errors.contains("cannot dump the notes"), "\(run.errors)")
            #expect((try? FileSystem.status(of: host.current)) == nil)
        }
    }

    @Test("A new plugin works as it is written, is listed, and holds every claim that can be checked")
    func new() async throws {
        try await TestHost.withFiles { host in
            let plugins = host.scratch.appending("plugins")
            try FileSystem.createDirectory(plugins, mode: 0o755)
            try await host.command(musterExecutable, "plugins", "new", "mydb", "--into", plugins.string).isGood()
            let again = try await host.command(musterExecutable, "plugins", "new", "mydb", "--into", plugins.string)
            #expect(again.errors.contains("is already there"), "\(again.errors)")
            let settings = host.scratch.appending("settings.yaml")
            try write("path: \(host.letter)\n", to: settings)
            let list = try await host.command(musterExecutable, "plugins", "list", "--path", plugins.string)
            #expect(list.output.contains("mydb  0.1"), "\(list.output)")
            let test = try await host.command(
                musterExecutable, "plugins", "test", "mydb", "--path", plugins.string, "--config", settings.string,
                "--fingerprint", "cat \(host.letter)", "--damage", "rm \(host.letter)")
            #expect(test.status == .exited(0), "\(test.output)\(test.errors)")
            #expect(test.output.contains("holds        A source that was damaged after prepare never yields a dump"))
            #expect(test.output.contains("not checked  A dump that is cancelled while it runs throws"))
            #expect(test.output.contains("claims hold, "), "\(test.output)")
        }
    }

    @Test("A plugin that breaks its promises fails its test, and a mistake in its description is told with its place")
    func broken() async throws {
        try await TestHost.withFiles { host in
            let plugins = host.scratch.appending("plugins")
            try FileSystem.createDirectory(plugins, mode: 0o755)
            try await host.command(musterExecutable, "plugins", "new", "mydb", "--into", plugins.string).isGood()
            let program = plugins.appending("mydb/mydb")
            try await host.command("/bin/sed", "-i", "s/>data/>data; date +%N >>data/", program.string).isGood()
            let settings = host.scratch.appending("settings.yaml")
            try write("path: \(host.letter)\n", to: settings)
            let test = try await host.command(
                musterExecutable, "plugins", "test", plugins.appending("mydb").string, "-c", settings.string)
            #expect(test.status == .exited(1))
            #expect(test.output.contains("FAILS        An unchanged source gives identical files"), "\(test.output)")

            try await host.command("/bin/sed", "-i", "s/\"verbs\"/\"verb\"/", "\(plugins)/mydb/plugin.json").isGood()
            let described = try await host.command(
                musterExecutable, "plugins", "describe", "mydb", "--path", plugins.string)
            #expect(described.status == .exited(78))
            #expect(described.errors.contains("plugin.json:6:3: unknown key 'verb'"), "\(described.errors)")
            let list = try await host.command(musterExecutable, "plugins", "list", "--path", plugins.string)
            #expect(list.status == .exited(0) && list.output.contains("cannot be used"), "\(list.output)")
        }
    }
}

extension Command.Result {
    fileprivate func isGood(sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(status == .exited(0), "\(output)\(errors)", sourceLocation: sourceLocation)
    }
}
