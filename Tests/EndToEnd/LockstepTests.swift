import Glibc
import Linux
import SystemPackage
import TestSupport
import Testing

/// A writer that commits row n, then writes file n, then row n + 1, hundreds of times a second. At any instant there is one row more than
/// there are files, or as many.
private struct Lockstep: Sendable {
    let host: TestHost
    let directory: FilePath

    static let database = "shop"

    /// Runs `body` while it writes, and stops it then.
    func whileWriting<Output>(_ body: () async throws -> Output) async throws -> Output {
        try await host.sql("CREATE TABLE steps (n int, begun timestamptz)", in: Self.database)
        try PostgreSQLServer.own(directory)
        let writer = Task {
            // The server itself writes the files: nothing else could follow its commits as fast.
            try await host.server.psql(
                """
                do $$
                declare n int := 0;
                begin
                    perform set_config('application_name', 'lockstep', false);
                    loop
                        n := n + 1;
                        insert into steps values (n, clock_timestamp());
                        commit;
                        execute format('copy (select %s) to %L', n, '\(directory)/' || n);
                        perform pg_sleep(0.001);
                    end loop;
                end $$
                """, in: Self.database)
        }
        try await eventually { access(directory.appending("100").string, F_OK) == 0 }
        let outcome: Result<Output, any Error>
        do { outcome = .success(try await body()) } catch { outcome = .failure(error) }
        try await host.server.psql(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'lockstep'")
        // Its connection was cut, which psql reports.
        _ = await writer.result
        return try outcome.get()
    }

    /// The highest row in the dump, of which none below it may be missing.
    func rows() async throws -> Int {
        let restored = try await host.command(
            PostgreSQLServer.binDirectory.appending("pg_restore"), "--data-only", "--table=steps", "--file=-",
            host.current.appending("app/databases/\(Self.database)").string)
        try #require(restored.status == .exited(0), "\(restored.errors)")
        let numbers = restored.output.split(separator: "\n").compactMap { line in
            line.split(separator: "\t").count == 2 ? Int(line.prefix { $0.isNumber }) : nil
        }
        return try highest(of: numbers)
    }

    /// The highest file in the dump, of which none below it may be missing.
    func files() throws -> Int {
        try highest(of: FileSystem.names(in: host.current.appending("documents/tree")).compactMap { Int($0.string) })
    }

    /// How many files of the dump are empty although they were whole before a time.
    func torn(before time: String) async throws -> Int {
        let empty = try FileTree(host.current.appending("documents/tree")).entries()
            .filter { $0.status.kind == .file && $0.status.bytes == 0 }.map(\.path.string)
        // Once the next step has begun, a file is whole.
        let count = try await host.server.psql(
            "select count(*) from steps where n - 1 = any('{\(empty.joined(separator: ","))}') and begun < '\(time)'",
            in: Self.database)
        return try #require(Int(count))
    }

    private func highest(of numbers: [Int]) throws -> Int {
        let highest = try #require(numbers.max())
        #expect(Set(numbers) == Set(1...highest))
        return highest
    }

    /// How many steps began in a time.
    func steps(from: String, to: String) async throws -> Int {
        // The manifest has whole milliseconds, rounded down.
        let count = try await host.server.psql(
            "select count(*) from steps where begun between '\(from)' and '\(to)'::timestamptz + interval '1 ms'",
            in: Self.database)
        return try #require(Int(count))
    }
}

@Suite("A database and a directory that are written in turn")
struct LockstepTests {
    @Test("are dumped as of the freeze window: they differ by no more than what was written within it")
    func exact() async throws {
        try await TestHost.withBtrfs(hasServer: true, size: "1G") { host, volume in
            host.job.dumpLines.insert("    consistency: exact", at: 1)
            let lockstep = Lockstep(host: host, directory: volume.documents)
            let job = host
            let run = try await lockstep.whileWriting {
                let run = try job.start(["dump"], environment: ["MUSTER_STOP_AT": "directory.walked"])
                try #require(await run.stopped())
                return run
            }
            // The copy is as of the snapshot: what is written after that only makes it slow.
            run.send(SIGCONT)
            let result = try await run.result()
            try #require(result.status == .exited(0), "\(result.errors)")
            let manifest = try read(host.current.appending("manifest.json"))
            #expect(try await host.momentKinds(in: manifest) == "{'app': 'exact', 'documents': 'window'}")

            let from = try await host.value("d['freeze']['from']", of: manifest)
            let to = try await host.value("d['freeze']['to']", of: manifest)
            let (rows, files) = (try await lockstep.rows(), try lockstep.files())
            let steps = try await lockstep.steps(from: from, to: to)
            #expect(
                abs(rows - files) <= steps + 1, "\(rows) rows, \(files) files, \(steps) steps from \(from) to \(to)")
            // Btrfs writes out what files hold before the act, and takes their names in it. Those written meanwhile may be empty,
            // unless it is mounted with flushoncommit: btrfs(5).
            let taken = try await host.value(
                "[m['moment']['from'] for m in d['dumps'] if m['name'] == 'documents'][0]", of: manifest)
            #expect(try await lockstep.torn(before: taken) == 0)
            let width = try await host.value(
                """
                round(1000 * (lambda t: t('\(to)') - t('\(from)'))(lambda text: \
                __import__('datetime').datetime.strptime(text, '%Y-%m-%dT%H:%M:%S.%fZ').timestamp()))
                """, of: manifest)
            print("freeze window: \(width) ms with \(steps) steps in it; row \(rows), file \(files)")
        }
    }

    @Test("are told to be read live where no snapshot is asked for")
    func live() async throws {
        try await TestHost.withBtrfs(hasServer: true, lines: []) { host, _ in
            try await host.mustSucceed("dump")
            let manifest = try read(host.current.appending("manifest.json"))
            #expect(try await host.momentKinds(in: manifest) == "{'app': 'exact', 'documents': 'live'}")
        }
    }
}

extension TestHost {
    /// As Python prints a dictionary, by dump.
    func momentKinds(in manifest: String) async throws -> String {
        try await value("{m['name']: m['moment']['kind'] for m in d['dumps']}", of: manifest)
    }
}
