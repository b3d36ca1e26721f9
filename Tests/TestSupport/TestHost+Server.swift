import Glibc
import Linux
import SystemPackage
import Testing

extension TestHost {
    /// Runs statements, each by itself, as the superuser.
    public func sql(_ statements: String, in database: String) async throws {
        try await server.run(statements, in: database)
    }

    /// A role that logs in with this password, and may use everything that `clerk` may.
    public func createRole(_ name: String, password: String) async throws {
        try await server.psql("CREATE ROLE \(name) LOGIN PASSWORD '\(password)'")
    }

    /// Puts a bash script in the place of one of the job's client programs, beside links to the real ones; `$real` is the one replaced.
    public mutating func replaceClient(_ name: String, _ script: String) throws {
        let clients = scratch.appending("clients")
        try FileSystem.createDirectory(clients, mode: 0o755)
        for program in ["pg_dump", "pg_dumpall", "pg_restore"] where program != name {
            guard symlink("\(PostgreSQLServer.binDirectory)/\(program)", clients.appending(program).string) == 0 else {
                throw Errno(rawValue: errno)
            }
        }
        try write(
            "#!/bin/bash\nreal=\(PostgreSQLServer.binDirectory)/\(name)\n\(script)\n", to: clients.appending(name),
            mode: FilePermissions(rawValue: 0o755))
        job.dumpLines.append("    bin_directory: \(clients)")
    }

    /// Another session holds the strongest lock on a table meanwhile.
    public func whileLocking<Result: Sendable>(
        _ table: String, in database: String, _ work: () async throws -> Result
    ) async throws -> Result {
        let done = scratch.appending("lock-may-go-\(UInt32.random(in: .min ... .max))")
        async let holder = server.psql(
            "BEGIN; LOCK TABLE \(table) IN ACCESS EXCLUSIVE MODE; COPY (SELECT 1) TO PROGRAM 'until [ -e \(done) ]; do sleep 0.05; done'",
            in: database)
        try await eventually {
            try await server.psql(
                "SELECT count(*) FROM pg_locks WHERE mode = 'AccessExclusiveLock' AND relation = '\(table)'::regclass AND granted",
                in: database) == "1"
        }
        let result: Result
        do {
            result = try await work()
        } catch {
            try write("", to: done)
            throw error
        }
        try write("", to: done)
        _ = try await holder
        return result
    }
}

extension PostgreSQLServer {
    /// Every user table of a database with its number of rows and a checksum over all of them.
    public func fingerprint(of database: String) async throws -> String {
        let tables = try await psql(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables WHERE schemaname !~ '^(pg_|information_schema)' ORDER BY 1",
            in: database)
        var lines: [String] = []
        for table in tables.split(separator: "\n") {
            lines.append(
                try await psql(
                    "SELECT '\(table)', count(*), md5(string_agg(t::text, E'\\n' ORDER BY t::text)) FROM \(table) t",
                    in: database))
        }
        return lines.joined(separator: "\n")
    }
}
