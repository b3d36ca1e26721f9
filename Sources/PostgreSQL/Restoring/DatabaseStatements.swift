import DumpCore

/// The statements of an archive that make a database with all that belongs to the database itself. These are its encoding, locale, owner,
/// settings, privileges, comment and limits. A pg_restore runs them only under the database's own name.
struct DatabaseStatements: Sendable {
    private var create: SQLStatement
    private var owner: String
    private var others: [Part] = []

    /// One statement that is not the creation.
    private struct Part {
        var statement: SQLStatement
        /// Whether its text was in the database's own encoding.
        var isConverted: Bool
    }

    /// - Parameter target: converts what is not in UTF-8.
    static func read(
        _ archive: ArchiveEntries, of name: String, by target: RestoreTarget
    ) async throws(DumpError) -> DatabaseStatements {
        var create: (SQLStatement, owner: String)?
        var others: [Part] = []
        for entry in archive.entries where entry.isOfDatabase {
            let script = try await target.utf8(entry.statement ?? [], from: archive.encoding, of: name)
            let statements = SQLStatement.all(in: script)
            if entry.kind == "DATABASE" {
                create = statements.first.map { ($0, entry.owner) }
            } else {
                let isConverted = String(validating: entry.statement ?? [], as: UTF8.self) == nil
                others += statements.map { Part(statement: $0, isConverted: isConverted) }
            }
        }
        guard let create else {
            throw DumpError(
                .incompleteDump, "the archive of database '\(name)' does not say how to create it",
                hint: "Create a database by hand, and restore into it with pg_restore as docs/restore.md shows.")
        }
        return DatabaseStatements(create: create.0, owner: create.owner, others: others)
    }

    func creation(as name: String) -> String { create.naming(database: name)?.text ?? "" }

    /// The owner first: privileges are granted in the owner's name.
    private func attributes(of name: String, converted: Bool) -> [String] {
        let owns = !converted && !owner.isEmpty
        return (owns ? ["alter database \(name.asIdentifier) owner to \(owner.asIdentifier)"] : [])
            + others.filter { !$0.statement.isLimit && $0.isConverted == converted }
            .map { $0.statement.naming(database: name)?.text ?? $0.statement.text }
    }

    /// What is in UTF-8, for a session in any other database.
    func attributes(of name: String) -> [String] { attributes(of: name, converted: false) }

    /// What is in the database's own encoding, for a session in it: a session reads what all databases share in its own encoding.
    /// The server itself puts in the name.
    func giveConvertedAttributes(in session: Session) async throws(DumpError) {
        let name = "muster's database"
        for statement in attributes(of: name, converted: true) {
            _ = try await session.query("select set_config('muster.statement', $1, false)", [statement])
            try await session.change(
                """
                do language plpgsql $$ begin execute replace(current_setting('muster.statement'), \(name.asIdentifier.asLiteral),
                    quote_ident(current_database())); end $$
                """)
        }
    }

    var hasConverted: Bool { others.contains(where: \.isConverted) }

    /// What would get in the way before the end.
    func limits(of name: String) -> [String] {
        others.map(\.statement).filter(\.isLimit).compactMap { $0.naming(database: name)?.text }
    }
}

extension SQLStatement {
    fileprivate var isLimit: Bool {
        guard begins("alter", "database"), tokens.count > 3 else { return false }
        return tokens[3].isWord("connection") || tokens[3].isWord("is_template")
            || tokens[3].isWord("allow_connections")
    }
}

extension RestoreTarget {
    /// Text of an archive in UTF-8.
    ///
    /// What belongs to a database as a whole is in catalogs that all databases share. Its encoding is that of the session that wrote it. A
    /// dump copies these bytes, so the encoding of the archive tells little. Text that is UTF-8 stays as it is.
    fileprivate func utf8(_ text: [UInt8], from encoding: String, of name: String) async throws(DumpError) -> [UInt8] {
        guard String(validating: text, as: UTF8.self) == nil else { return text }
        let hex = text.reduce(into: "") { $0 += $1.digits(2, radix: 16) }
        let converted = await Result.awaiting { () async throws(DumpError) in
            try await reading { session throws(DumpError) in
                try await session.row("select convert_from(decode($1, 'hex'), $2) as text", [hex, encoding]).text(
                    "text")
            }
        }
        guard case .success(let text) = converted else {
            throw DumpError(
                .settings, "what database '\(name)' is called, or its settings, cannot be converted from \(encoding)",
                hint: "Create a database by hand, and restore into it with pg_restore as docs/restore.md shows.")
        }
        return text.nameBytes
    }
}
