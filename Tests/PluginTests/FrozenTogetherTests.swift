import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

/// One job with a server of each kind, a file, a directory, and a plugin of the test's own.
@Suite("Sources of several kinds in one job")
struct FrozenTogetherTests {
    /// Commits row n in PostgreSQL, then in MariaDB, then row n + 1, and so on until a file is there.
    private static let writer = """
        import os, subprocess, sys, time
        socket, maria, stop = sys.argv[1:]
        def client(*words):
            return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        one = client("runuser", "-u", "postgres", "--", "psql", "-qAtX", "-h", socket, "-U", "postgres", "-d", "shop")
        other = client("mariadb", "--no-defaults", "--unbuffered", "-N", "-B", "--socket=" + maria, "stock")
        n = 0
        while not os.path.exists(stop):
            n += 1
            for process, statement in ((one, f"insert into steps values ({n}, clock_timestamp()) returning n;"),
                                       (other, f"insert into steps values ({n}); select {n};")):
                process.stdin.write(statement + "\\n")
                process.stdin.flush()
                if process.stdout.readline().strip() != str(n):
                    sys.exit("a step failed")
            time.sleep(0.001)
        """

    @Test("are frozen within the window that is recorded, as a writer in lockstep over both servers shows")
    func lockstep() async throws {
        try await TestHost.with { host in
            try await MariaDBServer.with(in: host.scratch) { maria in
                try await host.server.psql("CREATE TABLE steps (n int, begun timestamptz)", in: "shop")
                try await maria.sql("CREATE DATABASE stock; CREATE TABLE stock.steps (n int PRIMARY KEY)")
                let database = host.scratch.appending("app.db")
                try await host.command(
                    "/usr/bin/sqlite3", database.string, "create table t (n int); insert into t values (1)"
                ).isGood()
                try FileSystem.createDirectory(host.source)
                try write("dear\n", to: host.letter)
                host.job.lines += ["plugin_path: [\(PluginHost.directory), \(PluginFixture.examples)]"]
                host.job.dumpLines += [
                    "  stock:", "    provider: mariadb", "    socket: \(maria.socket)",
                    "  file:", "    provider: sqlite", "    path: \(database)",
                    "  letters:", "    provider: directory", "    path: \(host.source)",
                    "  note:", "    provider: note", "    path: \(host.letter)",
                ]
                try await whileWriting(host, maria) {
                    let run = try await host.muster("run")
                    #expect(run.status == .exited(0), "\(run.errors)")
                }
                try await expectWindow(host)
                for path in ["file", "letters/tree/letter", "note/note"] {
                    #expect((try? FileSystem.status(of: host.current.appending(path))) != nil, "\(path)")
                }
            }
        }
    }

    private func whileWriting(_ host: TestHost, _ maria: MariaDBServer, _ body: () async throws -> Void) async throws {
        let (script, stop) = (host.scratch.appending("writer.py"), host.scratch.appending("stop"))
        try write(Self.writer, to: script)
        let socket = host.server.connection.split(separator: " ").first { $0.hasPrefix("host=") }?.dropFirst(5) ?? ""
        let writer = Task {
            try await host.command("/usr/bin/python3", script.string, String(socket), maria.socket.string, stop.string)
        }
        try await eventually { try await maria.sql("SELECT count(*) > 50 FROM stock.steps") == "1" }
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await body()) } catch { outcome = .failure(error) }
        try write("", to: stop)
        try await writer.value.isGood()
        try outcome.get()
    }

    /// At one instant the second has as many rows as the first, or one less. Apart by a window, they differ by the steps within it.
    private func expectWindow(_ host: TestHost) async throws {
        let manifest = try JSONTree(try read(host.current.appending("manifest.json")))
        guard case .text(let from)? = manifest["freeze"]?["from"], case .text(let to)? = manifest["freeze"]?["to"]
        else {
            Issue.record("the manifest has no freeze")
            return
        }
        let steps = try await host.server.psql(
            "select count(*) from steps where begun between '\(from)' and '\(to)'::timestamptz + interval '1 ms'",
            in: "shop")
        let within = try #require(Int(steps))
        let rows = try await postgreSQLRows(host)
        let others = try await mariaDBRows(host)
        #expect(rows > 0 && others > 0)
        #expect(others <= rows + within, "\(rows) and \(others), and \(within) steps in the window")
        #expect(rows <= others + within + 1, "\(rows) and \(others), and \(within) steps in the window")
    }

    private func postgreSQLRows(_ host: TestHost) async throws -> Int {
        let restored = try await host.command(
            PostgreSQLServer.binDirectory.appending("pg_restore"), "--data-only", "--table=steps", "--file=-",
            host.current.appending("app/databases/shop").string)
        try #require(restored.status == .exited(0), "\(restored.errors)")
        return try highest(
            of: restored.output.split(separator: "\n").compactMap { line in
                line.split(separator: "\t").count == 2 ? Int(line.prefix { $0.isNumber }) : nil
            })
    }

    private func mariaDBRows(_ host: TestHost) async throws -> Int {
        let files = try FileTree(host.current.appending("stock")).entries().filter { $0.status.kind == .file }
        let texts = try files.map { try read(host.current.appending("stock").pushing($0.path)) }
        let inserts = texts.joined(separator: "\n").split(separator: "\n").filter {
            $0.hasPrefix("(") || $0.hasPrefix("INSERT INTO `steps`")
        }
        return try highest(of: inserts.flatMap { $0.matches(of: /\((\d+)\)/).compactMap { Int($0.output.1) } })
    }

    private func highest(of numbers: [Int]) throws -> Int {
        let highest = try #require(numbers.max())
        #expect(Set(numbers) == Set(1...highest))
        return highest
    }
}

extension Command.Result {
    fileprivate func isGood(sourceLocation: SourceLocation = #_sourceLocation) {
        #expect(status == .exited(0), "\(output)\(errors)", sourceLocation: sourceLocation)
    }
}
