import DumpCore
import Linux
import SystemPackage

@testable import PostgreSQL

/// What the programs of PostgreSQL write.
extension FuzzedParser {
    static let ofPostgreSQL = [
        FuzzedParser("toc", [toc]) { bytes in
            let path = FilePath("/tmp/muster-fuzz-toc-\(UInt64.random(in: .min ... .max))")
            defer { try? FileSystem.removeFile(path) }
            let file = try FileDescriptor.open(
                path, .writeOnly, options: [.create, .truncate], permissions: .ownerReadWrite)
            try file.closeAfter { _ = try file.writeAll(bytes) }
            _ = try PostgreSQL.ArchiveContents.read(path)
        },
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
    private static var toc: [UInt8] {
        let path = FilePath(#filePath).removingLastComponent().removingLastComponent().pushing(
            "PostgreSQLTests/Archives/17/toc.dat")
        guard let file = try? FileDescriptor.open(path, .readOnly) else { return [] }
        var bytes = [UInt8](repeating: 0, count: 1 << 20)
        let count = (try? file.closeAfter { try bytes.withUnsafeMutableBytes { try file.read(into: $0) } }) ?? 0
        return Array(bytes.prefix(count))
    }
}
