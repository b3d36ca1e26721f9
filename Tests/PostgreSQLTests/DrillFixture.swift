import Conformance
import DumpCore
import Glibc
import Linux
import Processes
import SystemPackage
import TestSupport

@testable import PostgreSQL

/// A dump of a few databases, and a room to drill it in.
struct DrillFixture: Sendable {
    /// The server that was dumped, which still runs.
    let live: PostgreSQLServer
    let directory: FilePath
    let room: FilePath
    var dump: Manifest.DumpRecord

    /// - Parameters:
    ///   - databases: names, each with statements that fill it.
    static func with<Result>(
        _ databases: [(name: String, statements: String)], _ body: (DrillFixture) async throws -> Result
    ) async throws -> Result {
        try await ClusterFixture.with { cluster in
            for (name, statements) in databases {
                try await cluster.server.psql("create database \(name)")
                try await cluster.server.psql(statements, in: name)
            }
            return try await with(cluster, databases.map(\.name), body)
        }
    }

    /// The databases of a cluster that is there.
    static func with<Result>(
        _ cluster: ClusterFixture, _ names: [String], _ body: (DrillFixture) async throws -> Result
    ) async throws -> Result {
        let directory = try cluster.newDirectory()
        let summary = try await TestRun().dump(cluster.provider { $0.include = names }, into: directory)
        let room = try cluster.newDirectory("room")
        return try await body(
            DrillFixture(
                live: cluster.server, directory: directory, room: room, dump: Manifest.DumpRecord(summary)))
    }

    static let shop = (
        name: "shop",
        statements: """
        create table orders (id serial primary key, item text, made timestamptz);
        insert into orders (item, made) select 'item ' || i, now() - interval '1 hour' from generate_series(1, 1000) i;
        """
    )

    func drill(
        by runner: ProgramRunner = .forTests, _ change: (inout DrillRequest) -> Void = { _ in }
    ) async throws -> RestoreOutcome {
        var request = DrillRequest()
        change(&request)
        return try await PostgreSQLRestorer(runner: runner).drill(
            request, of: dump, from: directory, in: room, TestRun().context)
    }

    /// What is left of the drill's server: files in its room, and processes that have it as theirs.
    func leftovers() throws -> [String] {
        let processes = try RunningProcess.mentioning(room.string).map(\.commandLine)
        return try FileSystem.names(in: room).map(\.string) + processes
    }
}

/// What of this host listens on a port of 127.0.0.1.
struct LocalListener: ~Copyable {
    private let socket: Int32
    let port: UInt16

    init() throws {
        socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let socket = socket
        let failed = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                bind(socket, address, length) != 0 || listen(socket, 16) != 0
                    || getsockname(socket, address, &length) != 0
            }
        }
        guard !failed else { throw Errno(rawValue: errno) }
        port = UInt16(bigEndian: address.sin_port)
    }

    deinit { close(socket) }
}
