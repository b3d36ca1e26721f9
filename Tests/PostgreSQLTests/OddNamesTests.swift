import Conformance
import DumpCore
import Glibc
import Linux
import PostgreSQL
import Processes
import SystemPackage
import TestSupport
import Testing

/// Names that a shell, psql, a terminal, a reader of lines, or Swift's own comparison takes for something else.
private let oddNames: [String] =
    [
        "a\"b", "\"", "\"\"", "it's", "''", "back\\slash", "\\\\", "\\.", "\\!", "\\! touch PWNED", "line\nbreak", "\n",
        "\r", "cr\rx",
        "crlf\r\nx", "\r\nbegins", "\n\\! touch PWNED\n", "\n\\connect postgres\n", "\n--\n-- Data\n", "tab\t", "\u{1}",
        "\u{7}", "\u{1B}[2J",
        "\u{7F}", "\u{9B}31m", "\u{202E}rtl", "\u{200F}", "\u{2066}x", "\u{2028}", "\u{2029}", "\u{FEFF}bom", "\u{AD}",
        "\u{A0}",
        "\u{600}prepended", "\u{301}combining", "e\u{301}", "\u{E9}", "A\u{30A}", "\u{C5}", "\u{212B}", "\u{1E9E}", "ß",
        "名前", "\u{1F600}",
        "\u{1F468}\u{200D}\u{1F469}", "-dash", "--", "-- comment", "/*", "*/", "%", "%s%n", "%2F", ".", "..", "../x",
        "/", "a.b", ";",
        "; drop table t;", "$1", "$$", "$x$", ":x", ":'x'", "`touch PWNED`", "$(touch PWNED)", "*", "?", "[a]", "a|b",
        "|", " ", " lead",
        "trail ", "two words", "SELECT", "select", "user", "TABLE DATA public x", "{a,b}", "null", "\\N",
        String(repeating: "ä", count: 31) + "x",
    ]

@Suite("Odd names")
struct OddNamesTests {
    @Test(
        "of databases, schemas, tables, columns, roles and in comments stay as they are from dump to restore, and nothing of them is run"
    )
    func restored() async throws {
        #expect(oddNames.count >= 64)
        #expect(Set(oddNames.map { Array($0.utf8) }).count == oddNames.count)
        try await ClusterFixture.with { source in
            try await ClusterFixture.with { target in
                let database = "\u{301}d\"'\\\r\n\\! touch PWNED\n\u{202E}%-"
                try await source.createOdd(database)
                let directory = try source.newDirectory()
                let summary = try await TestRun().dump(source.provider(), into: directory)
                let dumped = try #require(summary.databases.first { $0.name.utf8.elementsEqual(database.utf8) })
                let tables = dumped.tables.map { [Array($0.schema.utf8), Array($0.name.utf8)] }
                #expect(Set(tables) == Set(oddNames.map { [Array($0.utf8), Array($0.utf8)] }))
                #expect(dumped.tables.allSatisfy { $0.rows == 1 })

                let copy = try await target.copied(directory)
                let connection = target.server.connection + " dbname=postgres"
                try await restore(
                    "psql", ["-Xq", "-v", "ON_ERROR_STOP=1", "-d", connection, "-f", "globals.sql"], in: copy)
                try await restore(
                    "pg_restore", ["--exit-on-error", "--create", "-d", connection, dumped.path], in: copy)
                let (expected, restored) = (
                    try await source.oddities(in: database), try await target.oddities(in: database)
                )
                #expect(restored == expected)
                #expect(expected.split(separator: "\n").count == 2 * oddNames.count)
                // What a name had run would have been run here.
                #expect(access(copy.appending("PWNED").string, F_OK) != 0)
            }
        }
    }

    @Test("of databases have a directory each, also where they hold a line break or begin with a mark")
    func databases() async throws {
        let names = oddNames.filter { $0.unicodeScalars.contains { $0.isObeyed } || $0.hasBytePrefix("\u{301}") }
        try await ClusterFixture.with { cluster in
            for name in names { try await cluster.server.psql("create database \(quoted(name))") }
            let summary = try await TestRun().dump(
                cluster.provider { $0.exclude = ["postgres", "template1"] }, into: try cluster.newDirectory())
            #expect(Set(summary.databases.map { Array($0.name.utf8) }) == Set(names.map { Array($0.utf8) }))
            #expect(Set(summary.databases.map { Array($0.path.utf8) }).count == names.count)
        }
    }
}

/// Runs one of the server's programs as its user in a directory that it may write to.
private func restore(_ program: String, _ arguments: [String], in directory: FilePath) async throws {
    let outcome = try await ProgramRunner.forTests.run(
        Program(
            PostgreSQLServer.binDirectory.appending(program), arguments, user: PostgreSQLServer.user,
            workingDirectory: directory))
    #expect(outcome.succeeded, "\(outcome.lastErrors)")
}

private func quoted(_ name: String) -> String { "\"" + doubled("\"", in: name) + "\"" }

private func literal(_ text: String) -> String { "'" + doubled("'", in: text) + "'" }

private func doubled(_ mark: Unicode.Scalar, in text: String) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars { result += scalar == mark ? [scalar, scalar] : [scalar] }
    return String(result)
}

extension ClusterFixture {
    /// A database with a role, a schema, a table, a column, a row and a comment for each name, all called by it.
    fileprivate func createOdd(_ database: String) async throws {
        let roles = oddNames.map { "create role \(quoted($0)); comment on role \(quoted($0)) is \(literal($0));" }
        try await server.psql(roles.joined(separator: " "))
        try await server.psql("create database \(quoted(database)) owner \(quoted(oddNames[0]))")
        try await server.psql("comment on database \(quoted(database)) is \(literal(database))")
        let tables = oddNames.map { name in
            let (word, text) = (quoted(name), literal(name))
            return """
                create schema \(word) authorization \(word); create table \(word).\(word) (\(word) text default \(text));
                alter table \(word).\(word) owner to \(word); insert into \(word).\(word) values (\(text));
                comment on table \(word).\(word) is \(text); comment on column \(word).\(word).\(word) is \(text);
                """
        }
        try await server.psql(tables.joined(separator: "\n"), in: database)
    }

    /// A line for each table and each role, in which nothing is a line break but its end.
    fileprivate func oddities(in database: String) async throws -> String {
        try await server.psql(
            #"""
            select translate(quote_literal(concat_ws('|', nspname, relname, attname, pg_get_userbyid(relowner),
                obj_description(c.oid, 'pg_class'), col_description(c.oid, 1),
                (xpath('/row/n/text()', query_to_xml(format('select encode(convert_to(%I, ''UTF8''), ''hex'') as n from %I.%I',
                    attname, nspname, relname), false, true, '')))[1])), E'\n\r', '01')
            from pg_class c join pg_namespace n on n.oid = relnamespace join pg_attribute on attrelid = c.oid and attnum = 1
            where relkind = 'r' and nspname !~ '^pg_|^information_schema$' order by nspname collate "C";
            select translate(quote_literal(concat_ws('|', rolname, shobj_description(oid, 'pg_authid'))), E'\n\r', '01')
            from pg_roles where rolname !~ '^pg_' and rolname <> 'postgres' order by rolname collate "C"
            """#, in: database)
    }
}
