import DumpCore

/// Statements that make a database as it was, by the manifest, under any name: for people who restore without Muster.
struct DatabaseGuide: Sendable {
    let record: DatabaseRecord
    let name: String

    private var database: String { "database \(name.asIdentifier)" }

    /// CREATE DATABASE with all that cannot be altered later.
    var creation: String {
        let locale = record.locale
        var words = [
            "create \(database) template template0 encoding \(record.encoding.asLiteral)",
            "lc_collate \(locale.collate.asLiteral) lc_ctype \(locale.ctype.asLiteral)",
            "owner \(record.owner.asIdentifier)",
        ]
        if locale.provider != "libc" {
            words.append("locale_provider \(locale.provider)")
            if let name = locale.name { words.append("\(locale.provider)_locale \(name.asLiteral)") }
            if let rules = locale.rules { words.append("icu_rules \(rules.asLiteral)") }
        }
        if let tablespace = record.tablespace { words.append("tablespace \(tablespace.asIdentifier)") }
        return words.joined(separator: " ")
    }

    /// What is given to it once it is there. What the manifest does not tell, as it may be a secret, is a comment.
    var attributes: [String] { settings + grants + remarks }

    private var settings: [String] {
        record.settings.map { setting in
            let owner = setting.role.map { "role \($0.asIdentifier) in \(database)" } ?? database
            guard let value = setting.value else {
                return "-- alter \(owner) set \(setting.name) to …; the archive has its value"
            }
            // A list of names is shown as SQL.
            let list = value == "\"\"" ? "''" : value
            return "alter \(owner) set \(setting.name.asSettingName) to "
                + (Self.lists.contains(setting.name) ? list : value.asLiteral)
        }
    }

    /// Settings that PostgreSQL marks with `GUC_LIST_QUOTE`.
    private static let lists: Set = [
        "search_path", "temp_tablespaces", "local_preload_libraries", "session_preload_libraries",
        "shared_preload_libraries", "unix_socket_directories",
    ]

    private var grants: [String] {
        guard record.grants != nil else { return [] }
        let items = DatabaseGrants(of: record).items.sorted().filter { !$0.isOfMissingRole && !$0.isOfOwner }
        return ["revoke all on \(database) from public"] + items.flatMap { $0.statements(on: database) }
    }

    private var remarks: [String] {
        var statements = record.comment.map { ["comment on \(database) is \($0.asLiteral)"] } ?? []
        if record.connectionLimit >= 0 {
            statements.append("alter \(database) connection limit \(record.connectionLimit)")
        }
        if record.isTemplate { statements.append("alter \(database) is_template true") }
        return statements
    }
}

extension String {
    /// A name of a setting, which may have a dot.
    fileprivate var asSettingName: String { split(atASCII: ".").map { String($0).asIdentifier }.joined(separator: ".") }
}

extension DatabaseGrants.Item {
    /// One statement for rights that may be handed on, one for those that may not.
    fileprivate func statements(on database: String) -> [String] {
        let names: [Character: String] = ["C": "create", "T": "temporary", "c": "connect"]
        var (plain, handedOn): ([String], [String]) = ([], [])
        for letter in privileges {
            if letter == "*" {
                plain.popLast().map { handedOn.append($0) }
            } else if let name = names[letter] {
                plain.append(name)
            }
        }
        let role = grantee.isEmpty ? "public" : grantee.asIdentifier
        let lists = [(plain, ""), (handedOn, " with grant option")].filter { !$0.0.isEmpty }
        return lists.map { "grant \($0.0.joined(separator: ", ")) on \(database) to \(role)\($0.1)" }
    }
}
