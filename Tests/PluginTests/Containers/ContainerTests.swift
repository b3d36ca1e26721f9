import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

/// The container of these tests is this host. Its engine runs `exec -i NAME COMMAND…` here, as a child of its own that outlives its client.
@Suite("Plugins that reach into a container")
struct ContainerTests {
    @Test("A database in a container is copied by the program inside", arguments: ["python3", "sqlite3"])
    func copies(program: String) async throws {
        try await SQLiteHost.with { host in
            let engine = try await Engine(in: host.scratch, programs: program == "python3" ? nil : ["sqlite3"])
            let before = try host.listing()
            let result = try await engine.dump("sqlite", settings(host.withLog))
            #expect(result.status == .exited(0), "\(result.output)\n\(result.errors)")
            #expect(
                try await host.state(of: host.copy(of: host.withLog, in: engine.directory)).sum == SQLiteHost.accounts
                    * 100)
            #expect(result.output.contains(#""consistency":"exact""#))
            #expect(try host.listing() == before)
        }
    }

    @Test("A container with neither program is an error that names them")
    func noProgram() async throws {
        try await SQLiteHost.with { host in
            let result = try await Engine(in: host.scratch, programs: []).dump("sqlite", settings(host.withLog))
            #expect(result.status == .exited(1))
            #expect(result.output.contains(#""message":"container 'app' has neither python3 nor sqlite3""#))
        }
    }

    @Test("An engine that ends with 0 and cut output gives no dump", arguments: [1, 100, 500_000])
    func cut(bytes: Int) async throws {
        try await SQLiteHost.with { host in
            let engine = try await Engine(in: host.scratch, cutAfter: bytes)
            let result = try await engine.dump("sqlite", settings(host.withLog))
            #expect(result.status == .exited(1))
            #expect(result.output.contains(#""code":"container_failed""#))
            #expect(!result.output.contains(#""event":"summary""#))
        }
    }

    @Test("A container that is not there is an error with the engine's words")
    func unknown() async throws {
        try await SQLiteHost.with { host in
            let engine = try await Engine(in: host.scratch)
            let result = try await engine.dump("sqlite", #"{"path": "/a", "container": "nothing", "engine": "docker"}"#)
            #expect(
                result.output.contains(
                    "sh in container 'nothing' did not come to its end: Error: No such container: nothing"))
        }
    }

    @Test("A stop ends the program inside, and what it was to write is no dump")
    func stop() async throws {
        try await RedisHost.with { host in
            try await host.ask("CONFIG", "SET", "repl-diskless-sync-delay", "3600")
            let engine = try await Engine(in: host.scratch)
            let settings = #"{"socket": "\#(host.socket)", "container": "app", "engine": "docker"}"#
            let secret = host.scratch.appending("password")
            let command = try engine.start("redis", settings, environment: ["MUSTER_SECRET_PASSWORD": secret.string])
            let isSending = { try await host.ask("CLIENT", "LIST").contains("cmd=sync") }
            try await eventually { try await isSending() }
            command.send(SIGTERM)
            let result = try await command.result()
            #expect(result.status == .exited(1))
            #expect(result.output.contains(#""code":"stopped""#))
            // The server may notice a moment later.
            try await eventually { try await !isSending() }
        }
    }

    private func settings(_ path: FilePath) -> String {
        #"{"path": "\#(path.string.replacing("\"", with: "\\\""))", "container": "app", "engine": "docker", "wait": 5}"#
    }
}

/// A container engine whose only container, `app`, is this host, and a way to run a plugin with it.
private struct Engine {
    let scratch: FilePath
    var directory: FilePath { scratch.appending("dump") }
    private var bin: FilePath { scratch.appending("bin") }
    private var words: FilePath { scratch.appending("words") }

    /// - Parameters:
    ///   - programs: what is inside beside the usual ones; nil is everything.
    ///   - bytes: after how many bytes its client ends with 0, while the program goes on.
    init(in scratch: FilePath, programs: [String]? = nil, cutAfter bytes: Int? = nil) async throws {
        self.scratch = scratch
        for directory in [directory, bin, scratch.appending("inside")] { try FileSystem.createDirectory(directory) }
        let inside = scratch.appending("inside")
        for name in ["sh", "cat", "rm", "mktemp", "wc", "env"] + (programs ?? ["python3", "redis-cli"]) {
            try await output("ln", "-s", "/usr/bin/\(name)", inside.appending(name).string)
        }
        let cut = bytes.map { "| stdbuf -o0 head -c \($0); exit 0" } ?? ""
        try write(
            """
            #!/bin/sh
            [ "$1 $2" = 'exec -i' ] || exit 64
            [ "$3" = app ] || { echo "Error: No such container: $3" >&2; exit 1; }
            shift 3
            PATH='\(inside)' "$@" \(cut)
            """, to: bin.appending("docker"), mode: FilePermissions(rawValue: 0o755))
        try await output("mkfifo", words.string)
    }

    /// The verb `dump`, which is told to go on at once.
    func dump(_ plugin: String, _ settings: String) async throws -> Command.Result {
        try await start(plugin, settings).result()
    }

    func start(_ plugin: String, _ settings: String, environment: [String: String] = [:]) throws -> Command {
        let file = scratch.appending("settings")
        try write(settings, to: file)
        return try Command(
            "/bin/sh",
            [
                "-c", #"cd "$0" && exec 3<>"$1" && echo go >&3 && exec "$2" dump <&3 3<&-"#, directory.string,
                words.string, PluginHost.directory.appending(plugin).appending(plugin).string,
            ],
            environment: [
                "PATH": "\(bin):/usr/bin:/bin", "MUSTER_SETTINGS": file.string, "MUSTER_JOBS": "1", "LC_ALL": "C.UTF-8",
            ].merging(environment) { $1 }, scratch: scratch)
    }
}
