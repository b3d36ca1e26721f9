import Conformance
import DumpCore
import Linux
import PostgreSQL
import Processes
import SystemPackage
import TestSupport
import Testing

@Suite("A pooler before the server")
struct PoolerTests {
    @Test(
        "PgBouncer is refused before a session is changed, in each of its modes",
        arguments: ["transaction", "session", "statement"])
    func refused(mode: String) async throws {
        try await ClusterFixture.withShop { cluster in
            try await cluster.whilePooled(mode) { directory in
                let application = { (statement: String) async throws -> String in
                    try await PostgreSQLServer.run(
                        "psql",
                        ["-XAtq", "-d", "host=\(directory) port=6432 user=postgres dbname=shop", "-c", statement])
                }
                let settings = "select current_setting('search_path'), current_setting('default_transaction_read_only')"
                let before = try await application(settings)
                let provider = cluster.provider {
                    $0.connection = "host=\(directory) port=6432 user=postgres dbname=shop"
                }
                let error = try await dumpError { try await TestRun().prepared(provider) { _ in } }
                #expect(
                    error.description == """
                        the connection leads to a pooler such as PgBouncer, and not to PostgreSQL itself
                          dump: app
                          connection: user=postgres dbname=shop host=\(directory) port=6432
                          hint: Name the server's own host and port in 'connection:': a pooler mixes Muster's sessions with the \
                        application's.
                        """)
                #expect(!error.isTransient)
                #expect(try await application(settings) == before)
            }
        }
    }
}

extension ClusterFixture {
    /// Runs `body` with a PgBouncer that has one session for everyone, in the directory that `body` is given.
    fileprivate func whilePooled(_ mode: String, _ body: (FilePath) async throws -> Void) async throws {
        let directory = server.directory.appending("pooler")
        try FileSystem.createDirectory(directory)
        try write(
            """
            [databases]
            * = host=\(server.directory) user=postgres
            [pgbouncer]
            listen_addr =
            unix_socket_dir = \(directory)
            listen_port = 6432
            auth_type = any
            pool_mode = \(mode)
            default_pool_size = 1
            ignore_startup_parameters = extra_float_digits

            """, to: directory.appending("settings.ini"))
        try write("", to: directory.appending("users"))
        try #require(try await runProgram("chown", ["-R", PostgreSQLServer.user, directory.string]).succeeded)
        let program = Program("/usr/sbin/pgbouncer", ["\(directory)/settings.ini"], user: PostgreSQLServer.user)
        let pooler = Task { try await ProgramRunner.forTests.run(program) }
        let outcome: Swift.Result<Void, any Error>
        do {
            try await eventually { try FileSystem.names(in: directory).contains(".s.PGSQL.6432") }
            outcome = .success(try await body(directory))
        } catch {
            outcome = .failure(error)
        }
        pooler.cancel()
        _ = await pooler.result
        try outcome.get()
    }
}
