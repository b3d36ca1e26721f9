import DumpCore
import Glibc
import Linux
import Settings
import SystemPackage
import TestSupport
import Testing

/// A Redis server of a test's own, on a Unix socket, with a password and some keys. It has ended when `with` returns.
struct RedisHost: Sendable {
    let scratch: FilePath
    let password = "it's \"secret\" \(UInt32.random(in: 1_000_000 ... .max))"

    var directory: FilePath { scratch.appending("redis") }
    var socket: FilePath { scratch.appending("s") }
    private var passwordFile: FilePath { scratch.appending("password") }

    static let keys = 10_000

    static func with(_ options: String..., body: (RedisHost) async throws -> Void) async throws {
        try await withScratch { scratch in
            let host = RedisHost(scratch: scratch)
            try FileSystem.createDirectory(host.directory)
            try write(host.password + "\n", to: host.passwordFile)
            try await host.whileRunning(options) {
                try await host.ask("DEBUG", "POPULATE", "\(keys)", "key", "200")
                try await body(host)
            }
        }
    }

    /// Runs `body` while the server does.
    func whileRunning(_ options: [String], _ body: () async throws -> Void) async throws {
        let arguments = [
            "--port", "0", "--unixsocket", socket.string, "--dir", directory.string, "--save", "", "--logfile", "log",
            "--enable-debug-command", "local", "--requirepass", password, "--repl-diskless-sync-delay", "0",
        ]
        let server = try Command(
            "/usr/bin/redis-server", arguments + options, environment: ["LC_ALL": "C.UTF-8"], scratch: scratch)
        try await withCleanup { cleanup in
            cleanup.append {
                server.send(SIGKILL)
                _ = try await server.result()
            }
            try await eventually { access(socket.string, F_OK) == 0 }
            try await eventually { (try? await ask("PING")) == "PONG\n" }
            try await body()
        }
    }

    @discardableResult
    func ask(_ command: String...) async throws -> String { try await ask(command) }

    @discardableResult
    func ask(_ command: [String]) async throws -> String {
        try await output("redis-cli", arguments: ["-s", socket.string, "--no-auth-warning", "-a", password] + command)
    }

    func plugin(_ values: [String: PlainValue] = [:]) throws -> PluginHost {
        var plugin = try PluginHost("redis", values.merging(["socket": .text(socket.string)]) { mine, _ in mine })
        plugin.secrets = ["password": .file(passwordFile.string)]
        return plugin
    }

    /// Runs `body` while a program moves 1 from one of a hundred counters to another within one transaction, a thousand times a second.
    func whileWriting(_ body: () async throws -> Void) async throws {
        try await ask("EVAL", "for i = 1, 100 do redis.call('set', 'counter:' .. i, 100) end", "0")
        let script = """
            while :; do
                for n in 1 2 3 4 5 6 7 8 9 10; do
                    printf '%s\\n' MULTI "DECR counter:$((RANDOM % 100 + 1))" "INCR counter:$((RANDOM % 100 + 1))" EXEC
                done
                sleep 0.01
            done | redis-cli -s "$1" --no-auth-warning -a "$2" >/dev/null
            """
        let writer = try Command(
            "/usr/bin/setsid", ["bash", "-c", script, "bash", socket.string, password],
            environment: ["PATH": "/usr/bin:/bin"], scratch: scratch)
        try await withCleanup { cleanup in
            cleanup.append {
                kill(-writer.pid, SIGKILL)
                _ = try await writer.result()
            }
            try await eventually { try await ask("GET", "counter:1") != "100\n" }
            try await body()
        }
    }

    /// The sum of the counters in a dump, by a server of its own.
    func sum(of dump: FilePath) async throws -> String {
        let place = scratch.appending("reader")
        try FileSystem.createDirectory(place)
        try await output("cp", dump.string, place.appending("dump.rdb").string)
        let socket = scratch.appending("r")
        let server = try Command(
            "/usr/bin/redis-server",
            ["--port", "0", "--unixsocket", socket.string, "--dir", place.string, "--save", "", "--logfile", "log"],
            environment: ["LC_ALL": "C.UTF-8"], scratch: scratch)
        return try await withCleanup { cleanup in
            cleanup.append {
                server.send(SIGKILL)
                _ = try await server.result()
                try FileTree(place).remove()
            }
            try await eventually { (try? await output("redis-cli", "-s", socket.string, "PING")) == "PONG\n" }
            return try await output(
                "redis-cli", "-s", socket.string, "EVAL",
                "local sum = 0 for i = 1, 100 do sum = sum + redis.call('get', 'counter:' .. i) end return sum", "0")
        }
    }
}

/// Runs a program of this system that must succeed, and returns what it wrote.
private func output(_ program: String, arguments: [String]) async throws -> String {
    let outcome = try await runProgram(program, arguments)
    guard outcome.succeeded else { throw HostError(description: "\(program): \(outcome.lastErrors)") }
    return String(decoding: outcome.output, as: UTF8.self)
}
