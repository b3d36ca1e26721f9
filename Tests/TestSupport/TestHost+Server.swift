import Glibc
import Linux
import SystemPackage
import Testing

extension TestHost {
    /// Runs statements, each by itself, as the superuser.
    public func sql(_ statements: String, in database: String) async throws {
        for statement in statements.split(separator: ";\n") { try await server.psql(String(statement), in: database) }
    }

    /// A role that logs in with this password, and may use everything that `clerk` may.
    public func createRole(_ name: String, password: String) async throws {
        try await server.psql("CREATE ROLE \(name) LOGIN PASSWORD '\(password)'")
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
