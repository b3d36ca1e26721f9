import DumpCore
import Linux
import SystemPackage

@testable import PostgreSQL

/// What the programs of PostgreSQL write.
extension FuzzedParser {
    static let ofPostgreSQL = [
        FuzzedParser("toc", [toc]) { bytes in
            try withDirectory(["toc.dat": bytes]) { directory in
                let path = directory.appending("toc.dat")
                let keys = try PostgreSQL.ArchiveContents.read(path).foreignKeys.keys
                _ = try ArchiveForeignKeys.mark(Array(keys), in: path)
                try ArchiveGrants.leaveOut(["16391"], of: path)
            }
        },
        FuzzedParser("toc-entries", [toc]) { bytes in
            let entries = try ArchiveEntries.read(bytes, "toc.dat")
            _ = (DumpedDatabase.Needs(entries), entries.roles(among: [Array("owner".utf8)]))
            let tables = entries.entries.filter { $0.kind == "TABLE" }.prefix(2).map(\.qualifiedName)
            for rowsOnly in [true, false] { _ = TableSelection(tables, of: entries, rowsOnly: rowsOnly).list }
        },
        FuzzedParser("globals", [globals]) { bytes in
            let script = try GlobalsScript(bytes)
            let roles = Set(script.roles.map { Array($0.utf8) })
            _ = (script.tablespaces, script.statements(making: roles, besides: []), script.withGroups(of: roles))
            _ = script.memberships(in: roles, of: [Array("postgres".utf8)])
        }.flat,
        FuzzedParser("kept-database", ["muster: kept by restore 20261123T080102Z-5f3a of shop%2Fx\nA comment"]) {
            _ = KeptDatabase.Marker($0.text)?.text
        }.flat,
        FuzzedParser("toc-list", [";     TOC Entries: 35\n3391; 0 16396 TABLE DATA public orders owner\n"]) { bytes in
            let reader = ArchiveListingReader()
            for line in bytes.text.split(atASCII: "\n") { reader.add(String(line)) }
            _ = reader.result
        }.flat,
        FuzzedParser("script", [script]) { bytes in
            var inspector = ScriptInspector()
            bytes.inPieces { inspector.take($0) }
            _ = inspector.missing(from: ["shop"])
            try withFile(holding: bytes) { file in
                var lines = ScriptLines(of: file)
                while try lines.next() != nil {}
            }
        }.flat,
        FuzzedParser("rows", ["1\tgr\u{FC}n\t\\N\n2\tb\\tc\t\u{1F600}\n\\.\n\n\n"]) { bytes in
            var rows = CopyFileInspector()
            bytes.inPieces { rows.take($0) }
            _ = rows.rows
            for name in ["UTF8", "EUC_JP", "EUC_KR", "EUC_TW"] {
                var inspector = EncodingInspector(TextEncoding(named: name)!)
                bytes.inPieces { inspector.take($0) }
            }
        }.flat,
        FuzzedParser("sequence", ["SELECT pg_catalog.setval('public.s', -3, true);\n"]) {
            _ = DumpedSequence(schema: "public", name: "s", statement: $0.text)
        }.flat,
        FuzzedParser("client", ["pg_dump (PostgreSQL) 15.20 (Debian 15.20-0+deb12u1)", "pg_dump (PostgreSQL) 19beta2"])
        {
            let version = Client.Version(versionLine: $0.text)
            _ = (version?.major, version.map { $0 < $0 })
        }.flat,
    ]

    private static let globals = """
        CREATE ROLE app;
        ALTER ROLE app WITH NOSUPERUSER LOGIN PASSWORD 'SCRAM-SHA-256$4096:x' VALID UNTIL 'infinity';
        ALTER ROLE app SET search_path TO 'a', E'b\\'c';
        COMMENT ON ROLE app IS 'it''s';
        CREATE ROLE "odd one";
        GRANT "odd one" TO app WITH INHERIT TRUE GRANTED BY postgres;
        CREATE TABLESPACE fast OWNER app LOCATION '/srv/fast';
        GRANT ALL ON TABLESPACE fast TO app;

        """
    private static let script = """
        \\restrict abc
        CREATE ROLE postgres;
        CREATE ROLE "o'd -- d";
        ALTER ROLE postgres SET x TO E'a\\'b
        CREATE ROLE postgres;';
        \\connect template1
        -- Database "shop" dump
        -- PostgreSQL database dump complete
        --
        -- PostgreSQL database cluster dump complete
        --

        \\unrestrict abc

        """
    private static let toc = file("Tests/PostgreSQLTests/Archives/17/toc.dat")
}
