import Conformance
import DumpCore
import Linux
import SystemPackage
import TestSupport
import Testing

@testable import PostgreSQL

@Suite("Encodings of databases")
struct EncodingTests {
    @Test(
        "A database in any encoding is dumped, also in one that has no conversion to UTF-8",
        arguments: ["LATIN1", "EUC_JP", "MULE_INTERNAL", "SQL_ASCII"])
    func encodings(encoding: String) async throws {
        try await ClusterFixture.with { cluster in
            try await cluster.server.psql("create database old encoding '\(encoding)' locale 'C' template template0")
            try await cluster.server.psql("create table t as select 1 as a", in: "old")
            let provider = cluster.provider { $0.include = ["old"] }
            let summary = try await TestRun().dump(provider, into: cluster.newDirectory())
            #expect(
                summary.databases[0].tables.map(\.withoutColumns) == [
                    TableContents(schema: "public", name: "t", rows: 1)
                ])
        }
    }

    @Test("Names that are not UTF-8 are shown byte by byte, and no two become one")
    func names() async throws {
        try await ClusterFixture.with { cluster in
            try await cluster.createLegacy(#"create table "Stra\337e" (id int); create table "Stra\336e" (id int);"#)
            let provider = cluster.provider { $0.include = ["legacy"] }
            let summary = try await TestRun().dump(provider, into: cluster.newDirectory())
            #expect(summary.databases[0].tables.map(\.name) == [#"Stra\xDEe"#, #"Stra\xDFe"#])
        }
    }

    @Test("Rows that are not valid in the encoding of their database are counted: no server takes them back")
    func rows() async throws {
        try await ClusterFixture.with { cluster in
            try await cluster.createLegacy(
                """
                create table fine (s text); insert into fine values ('caf\\303\\251');
                create table t (s text);
                insert into t values ('caf\\351'), ('good'), ('\\351\\351'), ('caf\\303\\251');
                """)
            let provider = cluster.provider { $0.include = ["legacy"] }
            #expect(try await TestRun().dump(provider, into: cluster.newDirectory("before")).findings == [])
            // As somebody does who wants an application to stop complaining. 6 is UTF8.
            try await cluster.server.psql("update pg_database set encoding = 6 where datname = 'legacy'")
            #expect(
                try await TestRun().dump(provider, into: cluster.newDirectory("after")).findings == [
                    Finding(
                        .warning, "rows_not_in_encoding", object: "legacy table public.t",
                        "2 rows of table public.t of database 'legacy' not valid in its encoding: "
                            + "no server takes them back",
                        hint: "Fix them on the server; until then, a restore leaves that table empty.")
                ])
        }
    }

    static let texts: [(encoding: String, text: [UInt8], bad: Int64)] = [
        ("UTF8", Array("plain\nGröße\n名前\n\u{1F600}\n".utf8), 0),
        ("UTF8", [0x61, 0xFF, 0x0A, 0x61, 0x0A, 0xC3, 0x0A, 0xC3, 0xA9, 0x0A], 2),
        ("UTF8", [0xC0, 0xAF, 0x0A, 0xED, 0xA0, 0x80, 0x0A, 0xF4, 0x90, 0x80, 0x80, 0x0A, 0xE0, 0x9F, 0x80, 0x0A], 4),
        ("UTF8", [0x80, 0x0A, 0xF8, 0x0A, 0xEF, 0xBF, 0xBF, 0x0A, 0xF0, 0x90, 0x80, 0x80, 0x0A], 2),
        (
            "EUC_JP", [0xA4, 0xA2, 0x0A, 0x8E, 0xB1, 0x0A, 0x8F, 0xB0, 0xA1, 0x0A, 0xA4, 0x41, 0x0A, 0x8E, 0xE0, 0x0A],
            2
        ),
        ("EUC_KR", [0xB0, 0xA1, 0x0A, 0x8E, 0xA1, 0x0A], 1),
        ("EUC_TW", [0x8E, 0xA2, 0xA1, 0xA1, 0x0A, 0x8E, 0xA8, 0xA1, 0xA1, 0x0A, 0x8F, 0xA1, 0xA1, 0x0A], 2),
    ]

    @Test("Lines are good or bad wherever the text is cut", arguments: texts.indices)
    func lines(index: Int) throws {
        let (name, text, bad) = Self.texts[index]
        let encoding = try #require(TextEncoding(named: name))
        let long = Array(repeating: UInt8(ascii: "x"), count: 13) + text
        for size in 1...long.count {
            var inspector = EncodingInspector(encoding)
            for start in stride(from: 0, to: long.count, by: size) {
                long[start..<min(start + size, long.count)].withUnsafeBytes { inspector.take($0) }
            }
            #expect(inspector.badLines == bad, "pieces of \(size)")
        }
    }

    @Test("In some encodings any bytes are text")
    func anyBytes() {
        #expect(["SQL_ASCII", "LATIN1", "MULE_INTERNAL", ""].allSatisfy { TextEncoding(named: $0) == nil })
    }
}

extension ClusterFixture {
    /// The database `legacy`, which knows nothing of encodings, and in it what these statements make. Octal escapes are bytes.
    fileprivate func createLegacy(_ statements: String) async throws {
        try await server.psql("create database legacy encoding 'SQL_ASCII' locale 'C' template template0")
        let file = server.directory.appending("legacy.sql")
        let written = try await runProgram("bash", ["-c", "printf \"$1\" > \"$2\"", "bash", statements, file.string])
        try #require(written.succeeded)
        try #require(try await runProgram("chown", ["-R", PostgreSQLServer.user, file.string]).succeeded)
        let conninfo = "host='\(server.directory)' dbname=legacy client_encoding=SQL_ASCII"
        try await PostgreSQLServer.run("psql", ["-Xq", "-v", "ON_ERROR_STOP=1", "-d", conninfo, "-f", file.string])
    }
}
