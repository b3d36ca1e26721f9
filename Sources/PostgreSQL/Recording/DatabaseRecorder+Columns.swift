import Checksums
import DumpCore

/// The digests of the columns of a database's tables.
struct ColumnDigests: Sendable {
    private var byTable: [[UInt8]: String] = [:]
    /// Over all of them.
    var sha256: String?

    fileprivate mutating func add(_ schema: String, _ name: String, _ digest: String) {
        byTable[Self.key(schema, name)] = digest
    }

    /// The same tables, with their digests.
    func added(to tables: [TableContents]) -> [TableContents] {
        tables.map { table in
            var table = table
            table.columns = byTable[Self.key(table.schema, table.name)]
            return table
        }
    }

    /// By bytes: two names that Unicode calls equivalent are two tables.
    private static func key(_ schema: String, _ name: String) -> [UInt8] { Array(schema.utf8) + [0] + Array(name.utf8) }
}

extension DatabaseRecorder {
    /// Digests of everything that has columns. Those of a table are taken by name: a restore may put those of an heir in another order.
    func columns() async throws(DumpError) -> ColumnDigests {
        // A table need not have any. All names are quoted: %I quotes keywords, and every version has others (json is one from 16 on).
        let line =
            "case when a.attname is not null then format('\"%s\" %s %s', replace(a.attname::text, '\"', '\"\"'), format_type(a.atttypid, a.atttypmod), a.attnotnull) end"
        let rows = try await session.query(
            """
            select n.nspname as schema, c.relname as name, e.oid is not null as is_member,
                   left(\(digest(of: "string_agg(\(line), ',' order by a.attname collate \"C\")")), 32) as digest
            \(Relations.ofUsers)
            left join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
            where c.relkind in ('r', 'p', 'v', 'm', 'f', 'c') and not \(Relations.isInSystemSchema)
            group by n.nspname, c.relname, e.oid
            order by n.nspname collate "C", c.relname collate "C"
            """)
        var digests = ColumnDigests()
        var lines: [UInt8] = []
        for row in rows {
            let (schema, name) = (try row.text("schema"), try row.text("name"))
            let digest = try row.text("digest")
            digests.add(schema, name, digest)
            if try !row.flag("is_member") { lines += "\(schema)\0\(name)\0\(digest)\n".utf8 }
        }
        digests.sha256 = try sha256(ofText: lines)
        return digests
    }

    /// An expression for the digest of a text of the server's, whatever encoding that is in, in hex.
    func digest(of text: String) -> String {
        let bytes = "decode(replace(coalesce(\(text), ''), chr(92), repeat(chr(92), 2)), 'escape')"
        return hasSHA256 ? "encode(sha256(\(bytes)), 'hex')" : "md5(\(bytes))"
    }

    func sha256(ofText text: String) throws(DumpError) -> String { try sha256(ofText: Array(text.utf8)) }

    private func sha256(ofText bytes: [UInt8]) throws(DumpError) -> String {
        do {
            return try Checksums.sha256(of: bytes)
        } catch {
            throw DumpError(.system, error)
        }
    }
}
