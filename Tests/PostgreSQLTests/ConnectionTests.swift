import Conformance
import DumpCore
import Glibc
import Linux
import PostgreSQL
import SystemPackage
import TestSupport
import Testing

@Suite("Connecting to PostgreSQL")
struct ConnectionTests {
    @Test("As root, run_as gets in as the superuser by peer authentication, and the summary says where it was")
    func peer() async throws {
        try await ClusterFixture.with { cluster in
            let summary = try await TestRun().dump(cluster.provider(), into: cluster.newDirectory())
            let server = cluster.server
            #expect(summary.identity["server_version"] == "\(try await server.psql("show server_version").firstWord)")
            #expect(
                summary.identity["system_identifier"]
                    == "\(try await server.psql("select system_identifier from pg_control_system()"))")
            #expect(summary.identity["in_recovery"] == "false")
            #expect(summary.identity["role"] == "postgres")
            #expect(summary.identity["connection"] == "host=\(server.directory) port=5432 user=postgres")
            #expect(summary.identity["client_version"] != nil)
        }
    }

    @Test("Without run_as, root is told to set it")
    func peerDenied() async throws {
        try await ClusterFixture.with { cluster in
            let error = try await dumpError { try await prepare(cluster.provider { $0.runAs = nil }) }
            let socket = "\(cluster.server.directory)/.s.PGSQL.5432"
            #expect(
                error.message
                    == "cannot connect to PostgreSQL: connection to server on socket \"\(socket)\" failed: "
                    + "FATAL:  Peer authentication failed for user \"postgres\"")
            #expect(
                error.hint
                    == "Set run_as to the system user that the role belongs to; Muster must run as root or as that user."
            )
            #expect(
                error.context["connection"] == "user=postgres host=\(cluster.server.directory) dbname=postgres")
        }
    }

    @Test("A wrong password, and none at all, are told apart")
    func wrongPassword() async throws {
        try await ClusterFixture.with { cluster in
            try await cluster.server.psql("create role backup login password 'right'")
            func error(_ password: Secret?) async throws -> DumpError {
                try await dumpError {
                    try await prepare(
                        cluster.provider(password: password) {
                            $0.connection = cluster.server.connection(as: "backup")
                            $0.runAs = nil
                        })
                }
            }
            let start =
                "cannot connect to PostgreSQL: connection to server on socket "
                + "\"\(cluster.server.directory)/.s.PGSQL.5432\" failed: "
            let wrong = try await error(Secret("wrong-password"))
            #expect(wrong.code == .sourceUnavailable)
            #expect(wrong.message == start + "FATAL:  password authentication failed for user \"backup\"")
            #expect(
                wrong.hint == "Check the role's name and the password that 'password:' in the job file leads to.")
            #expect(!wrong.description.contains("wrong-password"))
            let none = try await error(nil)
            #expect(none.message == start + "fe_sendauth: no password supplied")
            #expect(none.hint?.hasPrefix("Give the password with 'password: {file: PATH}'") == true)
        }
    }

    @Test("A password that was handed over wins over a passfile, for us and for the programs")
    func passfileBeside() async throws {
        try await ClusterFixture.with { cluster in
            try await cluster.server.psql("create role backup login password 'right' in role pg_read_all_data")
            let passfile = cluster.scratch.appending("passfile")
            try write("*:*:*:*:wrong\n", to: passfile)
            let provider = cluster.provider(password: Secret("right")) {
                $0.connection = cluster.server.connection(as: "backup") + " passfile=\(passfile)"
                $0.runAs = nil
            }
            let summary = try await TestRun().dump(provider, into: cluster.newDirectory())
            #expect(summary.identity["role"] == "backup")
        }
    }

    @Test("A server that is not there is an error that says where it was looked for")
    func notThere() async throws {
        try await withScratch { scratch in
            let error = try await dumpError { try await prepare(provider("host=\(scratch)")) }
            #expect(
                error.description == """
                    cannot connect to PostgreSQL: connection to server on socket "\(scratch)/.s.PGSQL.5432" failed: \
                    No such file or directory
                      dump: app
                      connection: host=\(scratch) dbname=postgres
                      hint: Check that the server is running, and host and port in 'connection:'.
                    """)
        }
    }

    @Test("A server that never answers is given up after connect_timeout")
    func silence() async throws {
        try await withScratch { scratch in
            let listener = try silentServer(in: scratch)
            defer { close(listener) }
            let error = try await dumpError { try await prepare(provider("host=\(scratch) connect_timeout=2")) }
            #expect(error.message == "cannot connect to PostgreSQL: timeout expired")
        }
    }

    @Test("Waiting for a server that never answers ends when the run is cancelled")
    func cancelled() async throws {
        try await withScratch { scratch in
            let listener = try silentServer(in: scratch)
            defer { close(listener) }
            let provider = provider("host=\(scratch) connect_timeout=0")
            let task = Task { try await prepare(provider) }
            var connection = pollfd(fd: listener, events: Int16(POLLIN), revents: 0)
            try await eventually { poll(&connection, 1, 0) == 1 }
            task.cancel()
            let error = try await dumpError { try await task.value }
            #expect(error.code == .cancelled)
        }
    }

    @Test(
        "A connection string that cannot be used is refused as the job file's check would, and no secret is shown",
        arguments: [
            ("user=a password=hunter2secret", "a password is never written in a job file"),
            ("postgresql://a:hunter2secret@host/db", "a password is never written in a job file"),
            ("hots=hunter2secret", "libpq knows no option 'hots'"),
            ("host=a hunter2secret", "libpq does not understand this connection string"),
        ])
    func unusable(connection: String, message: String) async throws {
        let error = try await dumpError { try await prepare(provider(connection)) }
        #expect(error.code == .settings)
        #expect(error.message == message)
        #expect(error.hint != nil)
        #expect(!error.description.contains("hunter2secret"))
    }

    @Test("A user for run_as who does not exist is an error before anything is tried")
    func unknownUser() async throws {
        let error = try await dumpError { try await prepare(provider("") { $0.runAs = "no-such-user" }) }
        #expect(error.message == "run_as names the user 'no-such-user', who does not exist on this host")
    }

    @Test("What keeps the password from being found fails prepare with its own message and hint")
    func passwordNotFound() async throws {
        let failing = PostgreSQLProvider(settings: PostgreSQLSettings(), runner: .forTests) {
            throw DumpError(.system, "no file /run/secret", hint: "Create it.")
        }
        let error = try await dumpError { try await prepare(failing) }
        #expect(error.message == "no file /run/secret")
        #expect(error.hint == "Create it.")
    }

    @Test("A password in PGPASSWORD is refused: libpq would take it, and the programs never see it")
    func passwordInEnvironment() async {
        // In a process of its own: the environment belongs to all tests.
        await #expect(processExitsWith: .success) {
            setenv("PGPASSWORD", "hunter2secret", 1)
            let error = try await dumpError { try await prepare(provider("host=/nowhere")) }
            #expect(error.message == "PGPASSWORD is set, and Muster takes no password from the environment")
            #expect(!error.description.contains("hunter2secret"))
        }
    }

    @Test("A service of PGSERVICEFILE names the server, for us and for the programs")
    func service() async {
        await #expect(processExitsWith: .success) {
            try await ClusterFixture.with { cluster in
                try await cluster.createShop()
                let file = cluster.scratch.appending("services")
                try write(
                    "[shop]\nhost=\(cluster.server.directory)\nuser=postgres\ndbname=shop\n", to: file,
                    mode: FilePermissions(rawValue: 0o644))
                setenv("PGSERVICEFILE", file.string, 1)
                let provider = cluster.provider { $0.connection = "service=shop" }
                let summary = try await TestRun().dump(provider, into: cluster.newDirectory())
                #expect(summary.databases.map(\.name) == ["app", "postgres", "shop", "template1"])
                #expect(
                    summary.identity["connection"]
                        == "service=shop host=\(cluster.server.directory) port=5432 user=postgres")
            }
        }
    }
}

/// A provider for a server that is not one of a fixture.
private func provider(
    _ connection: String, _ change: (inout PostgreSQLSettings) -> Void = { _ in }
) -> PostgreSQLProvider {
    var settings = PostgreSQLSettings()
    settings.connection = connection
    change(&settings)
    return PostgreSQLProvider(settings: settings, runner: .forTests)
}

private func prepare(_ provider: PostgreSQLProvider) async throws { try await TestRun().prepared(provider) { _ in } }

/// A socket as a server has it, behind which no one ever answers.
private func silentServer(in directory: FilePath) throws -> Int32 {
    let listener = socket(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: "\(directory)/.s.PGSQL.5432".utf8) }
    let bound = withUnsafePointer(to: &address) { pointer in
        pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
            bind(listener, $0, socklen_t(MemoryLayout<sockaddr_un>.size))
        }
    }
    guard listener >= 0, bound == 0, listen(listener, 4) == 0 else { throw Errno(rawValue: errno) }
    return listener
}

extension String {
    fileprivate var firstWord: Substring { prefix { $0 != " " } }
}
