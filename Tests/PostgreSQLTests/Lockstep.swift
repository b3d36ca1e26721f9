import DumpCore
import Linux
import SystemPackage
import TestSupport
import Testing

/// Writers that go from one database to the other, hundreds of times a second. Each commits n to `left`, then n to `right`, then n + 1 to
/// `left`. At any instant each has one row more in `left` than in `right`, or as many.
struct Lockstep {
    let cluster: ClusterFixture
    let writers: Int

    func prepare() async throws {
        for database in ["left", "right"] {
            try await cluster.server.psql("create database \"\(database)\"")
            try await cluster.server.psql(
                """
                create table steps (writer int, n bigint);
                create table ballast as select i, repeat('x', 200) from generate_series(1, 20000) i;
                """, in: database)
        }
        try await cluster.server.psql("create extension dblink", in: "left")
    }

    /// Runs `body` while they write, and stops them then.
    func whileWriting(_ body: () async throws -> Void) async throws {
        let writing = (1...writers).map { writer in
            Task {
                try await cluster.server.psql(
                    """
                    do $$
                    declare n bigint := 0;
                    begin
                        perform set_config('application_name', 'lockstep', false);
                        perform dblink_connect('other', 'host=\(cluster.server.directory) user=postgres dbname=right');
                        loop
                            n := n + 1;
                            insert into steps values (\(writer), n);
                            commit;
                            perform dblink_exec('other', format('insert into steps values (\(writer), %s)', n));
                            -- Without it, the writers take both processors from what they are to disturb.
                            perform pg_sleep(0.001);
                        end loop;
                    end $$
                    """, in: "left")
            }
        }
        try await eventually {
            try await cluster.server.psql("select count(distinct writer) from steps", in: "right") == "\(writers)"
        }
        let outcome: Result<Void, any Error>
        do { outcome = .success(try await body()) } catch { outcome = .failure(error) }
        try await cluster.server.psql(
            "select pg_terminate_backend(pid) from pg_stat_activity where application_name = 'lockstep'")
        // Their connections were cut, which psql reports.
        for writer in writing { _ = await writer.result }
        try outcome.get()
    }

    /// What somebody would do by hand: two pg_dumps, one after the other.
    func plainDump(of database: String, into directory: FilePath) async throws {
        try PostgreSQLServer.own(directory)
        try await PostgreSQLServer.run(
            "pg_dump",
            ["-Fd", "-Z0", "-d", "\(cluster.server.connection) dbname=\(database)", "-f", "\(directory)/\(database)"])
    }

    /// Restores both dumps, and says for each writer by how many rows `left` is ahead of `right`.
    func leadsOfLeft(in dumps: FilePath) async throws -> [Int] {
        var counts: [[Int]] = []
        for database in ["left", "right"] {
            let script = try await output(
                "\(PostgreSQLServer.binDirectory)/pg_restore", "--data-only", "--table=steps", "--file=-",
                dumps.appending(database).string)
            let rows = script.utf8.split(separator: UInt8(ascii: "\n"))
            counts.append((1...writers).map { writer in rows.count { $0.starts(with: "\(writer)\t".utf8) } })
        }
        #expect(counts.allSatisfy { $0.allSatisfy { $0 > 0 } }, "\(counts)")
        return zip(counts[0], counts[1]).map { $0 - $1 }
    }
}
