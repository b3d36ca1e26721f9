import DumpCore
import Glibc
import Linux
import PostgreSQL
import Processes
import SystemPackage
import TestSupport
import Testing

@Suite("A throw-away server")
struct ScratchServerTests {
    private struct Stop: Error, Equatable {}

    private static func with<Result>(
        in scratch: FilePath, settings: [String] = [], _ body: (ScratchServer) async throws -> Result
    ) async throws -> Result {
        try await ScratchServer.withNew(
            at: scratch.appending("server"), programs: ServerPrograms.find(), runner: .forTests,
            arguments: ["--wal-segsize=1"], settings: ["shared_buffers = 1MB"] + settings, body)
    }

    private static func ask(_ server: ScratchServer, _ statement: String) async throws -> String {
        let outcome = try await server.requireSuccess(
            "psql", ["-XAtq", "-h", server.directory.string, "-U", "postgres", "-c", statement],
            output: .collect(limit: 1 << 20))
        return String(decoding: outcome.output, as: UTF8.self).split(separator: "\n").joined()
    }

    /// What is left of the server in `scratch`: files, and processes that were started with its path.
    private static func leftovers(in scratch: FilePath) throws -> [String] {
        let processes = try RunningProcess.mentioning("\(scratch)/server").map(\.commandLine)
        return try FileSystem.names(in: scratch).map(\.string) + processes
    }

    @Test(
        "runs as a user of its own, on its own socket alone, with the settings that it was given, and is gone afterwards"
    )
    func running() async throws {
        try await withScratch { scratch in
            try await Self.with(in: scratch, settings: ["work_mem = 5MB"]) { server in
                #expect(try await Self.ask(server, "show work_mem") == "5MB")
                #expect(try await Self.ask(server, "show listen_addresses") == "")
                #expect(try await Self.ask(server, "show unix_socket_directories") == server.directory.string)
                let owner = try FileSystem.status(of: server.data).uid
                #expect(owner == UserAccount(named: server.user ?? "")?.uid)
            }
            let left = try Self.leftovers(in: scratch)
            #expect(left == [])
        }
    }

    @Test("is gone after a failure of what it was started for")
    func failure() async throws {
        try await withScratch { scratch in
            await #expect(throws: Stop()) {
                try await Self.with(in: scratch) { _ in throw Stop() }
            }
            let left = try Self.leftovers(in: scratch)
            #expect(left == [])
        }
    }

    @Test("is gone after its task was cancelled")
    func cancelled() async throws {
        try await withScratch { scratch in
            let isRunning = scratch.appending("is-running")
            let task = Task {
                try await Self.with(in: scratch) { _ in
                    try write("", to: isRunning)
                    try await Task.sleep(for: .seconds(1000))
                }
            }
            try await eventually { access(isRunning.string, F_OK) == 0 }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(try Self.leftovers(in: scratch) == ["is-running"])
        }
    }

    @Test("that cannot start says the server's own words, and is gone")
    func cannotStart() async throws {
        try await withScratch { scratch in
            let error = await #expect(throws: DumpError.self) {
                try await Self.with(in: scratch, settings: ["shared_buffers = no"]) { _ in }
            }
            #expect(error?.message == "a PostgreSQL server in \(scratch)/server did not start")
            #expect(error?.context["stderr"]?.contains("shared_buffers") == true, "\(error?.description ?? "")")
            let left = try Self.leftovers(in: scratch)
            #expect(left == [])
        }
    }

    @Test("is stopped and started again with the same data")
    func restart() async throws {
        try await withScratch { scratch in
            try await Self.with(in: scratch) { server in
                _ = try await Self.ask(server, "create table kept (id int)")
                try await server.stop(.fast)
                try await server.stop(.fast)
                try await server.start()
                #expect(try await Self.ask(server, "select count(*) from kept") == "0")
            }
        }
    }

    @Test("of a version that is not installed says what to install")
    func version() async throws {
        let installed = [ServerPrograms(in: "/a", major: 17), ServerPrograms(in: "/b", major: 15)]
        #expect(try ServerPrograms.find(among: installed).directory == "/a")
        #expect(try ServerPrograms.find(major: 15, among: installed).directory == "/b")
        let error = #expect(throws: DumpError.self) { try ServerPrograms.find(major: 16, among: installed) }
        #expect(
            error?.description == """
                the server programs of PostgreSQL 16 (initdb, postgres) are not installed
                  hint: On Debian: apt-get install postgresql-16.
                """)
    }

    @Test("cannot have a path that no socket can have")
    func longPath() async throws {
        try await withScratch { scratch in
            let directory = scratch.appending(String(repeating: "x", count: 100))
            try FileSystem.createDirectory(directory)
            let error = #expect(throws: DumpError.self) {
                try ScratchServer(in: directory, programs: ServerPrograms.find(), runner: .forTests)
            }
            #expect(error?.message == "the path \(directory) is too long for the socket of a server")
        }
    }
}
