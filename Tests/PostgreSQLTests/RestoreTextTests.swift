import DumpCore
import TestSupport
import Testing

@testable import PostgreSQL

@Suite("The words of a restore")
struct RestoreTextTests {
    @Test("Statements are told apart by quotes and comments, and lines for psql are no statements")
    func statements() {
        let script = """
            -- a comment; with a semicolon
            \\restrict abc;
            CREATE ROLE "a;b""c";
            ALTER ROLE x SET app.key TO E'it\\'s; \\\\';  -- trailing
            SELECT 'CREATE ROLE postgres' WHERE true \\gexec
            GRANT a TO b WITH ADMIN OPTION GRANTED BY c;
            """
        let statements = SQLStatement.all(in: Array(script.utf8))
        #expect(
            statements.map(\.text) == [
                "CREATE ROLE \"a;b\"\"c\"", "ALTER ROLE x SET app.key TO E'it\\'s; \\\\'",
                "GRANT a TO b WITH ADMIN OPTION GRANTED BY c",
            ])
        #expect(statements[0].tokens.last?.value == Array("a;b\"c".utf8))
        #expect(statements[2].before("granted").text == "GRANT a TO b WITH ADMIN OPTION")
    }

    @Test("A database's name is put in place of the first one alone")
    func renaming() {
        let statement = SQLStatement.all(in: Array("ALTER ROLE \"x\" IN DATABASE Shop SET a TO 'DATABASE shop'".utf8))[
            0]
        #expect(
            statement.naming(database: "s\"2")?.text
                == "ALTER ROLE \"x\" IN DATABASE \"s\"\"2\" SET a TO 'DATABASE shop'")
    }

    @Test("Names fit into 63 bytes, end where a character ends, and stay different")
    func names() throws {
        let names = RestoreNames(run: try #require(RunID("20261129T174500Z-5f3a")))
        #expect(names.beside("shop") == "shop_restored_20261129T174500Z")
        #expect(names.unfinished("shop") == "shop_restoring_20261129T174500Z-5f3a")
        let long = String(repeating: "ü", count: 31)
        #expect(names.kept(long) == String(repeating: "ü", count: 19) + "_before_20261129T174500Z")
        let first = names.kept(long)
        let second = names.kept(long + "x", besides: [first.nameBytes])
        #expect(second == String(repeating: "ü", count: 18) + "_before_20261129T174500Z_2")
        #expect(names.isKept(first, from: long) && names.isKept(second, from: long + "x"))
        #expect(!names.isKept("shop", from: "shop") && !names.isKept("shop_before_20260101T000000Z", from: "shop"))
    }

    @Test("A marker gives back its name and the comment of before, whatever they are")
    func markers() throws {
        let run = try #require(RunID("20261129T174500Z-5f3a"))
        for (name, comment) in [("shop", nil), ("odd name\n", "two\nlines"), ("ü", "")] as [(String, String?)] {
            let marker = KeptDatabase.Marker(run: run, name: name, comment: comment)
            #expect(KeptDatabase.Marker(marker.text) == marker)
        }
        for text in ["", "muster: kept by restore", "muster: kept by restore x of shop", "our shop"] {
            #expect(KeptDatabase.Marker(text) == nil)
        }
    }

    @Test("An undo record says all that was put on it")
    func records() async throws {
        let facts = UnfinishedRestore(
            conninfo: "host=/x", user: nil, host: "/x", address: "", port: "5432", systemIdentifier: "7",
            fresh: ["a", "b"], witnesses: ["c", "d"],
            replaced: [
                UnfinishedRestore.Replaced(oid: 5, name: "a", kept: "k", allowsConnections: false),
                UnfinishedRestore.Replaced(oid: 6, name: "b", kept: "l", allowsConnections: true),
            ], roles: ["r"], tablespaces: [], helper: "h")
        let record = UndoRecord(
            run: RunID(start: .now), dump: "app", facts, owner: ProcessIdentity(pid: 1, startTicks: 1, bootID: "x"))
        #expect(try UnfinishedRestore(of: record) == facts)
    }

    @Test("The printed guide names each database and the files of the dump, quoted for a shell")
    func guide() {
        var request = RestoreRequest()
        request.items = ["it's"]
        let dump = Manifest.DumpRecord(
            name: "app", provider: "postgresql", path: "app", identity: [:],
            moment: Moment(.exact, from: .now, to: .now), durationSeconds: 1, bytes: 1, files: 1, findings: [],
            omissions: [], checksums: Manifest.Checksums(path: "", sha256: ""),
            databases: [DatabaseContents(name: "it's", path: "databases/it%27s", tables: [])])
        let lines = PostgreSQLRestorer(runner: .forTests).guide(to: request, of: dump)
        #expect(
            lines.contains(
                #"runuser -u postgres -- pg_restore --exit-on-error -d 'dbname='\''it\'\''s_restored'\''' "$restore"/databases/it%27s"#
            ), "\(lines)")
    }
}
