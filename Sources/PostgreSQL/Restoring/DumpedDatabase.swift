import DumpCore
import SystemPackage

/// A database of a dump, with what the manifest or else its archive says that it needs.
struct DumpedDatabase: Sendable {
    var contents: DatabaseContents
    var needs: Needs

    var name: String { contents.name }
    /// Relative to the dump's directory.
    var path: FilePath { FilePath(contents.path) }

    /// Where a file of its archive is, or what it is put together from, relative to the dump's directory.
    func place(of file: String) -> FilePath {
        let rows = contents.tables.lazy.compactMap(\.rowFiles).first { $0.file == file }
        return rows.map { path.pushing(FilePath($0.path)) } ?? path.appending(file)
    }

    struct Needs: Sendable {
        var encoding: String?
        var locale: LocaleRecord?
        var tablespace: String?
        var extensions: [ExtensionRecord] = []
        /// Owners, grantees, and those with settings in it, as far as they are known.
        var roles: [String] = []
        /// Kinds of objects that only a superuser can make, such as `event_trigger`.
        var ofSuperuser: [String] = []
    }
}

extension DumpedDatabase.Needs {
    init(_ record: DatabaseRecord) {
        encoding = record.encoding
        locale = record.locale
        tablespace = record.tablespace
        extensions = record.extensions
        roles =
            [record.owner] + record.settings.compactMap(\.role) + (record.grants ?? []).compactMap(Self.grantee)
        ofSuperuser =
            ["cast", "event_trigger", "foreign_data_wrapper"].filter { record.objects[$0] != nil }
            + (record.subscriptions.isEmpty ? [] : ["subscription"])
    }

    /// For manifests of before there were records.
    init(_ archive: ArchiveEntries) {
        if let create = archive.entries.first(where: { $0.kind == "DATABASE" })?.statement.flatMap({
            SQLStatement.all(in: $0).first
        }) {
            encoding = create.option("encoding")
            tablespace = create.option("tablespace")
            let collate = create.option("lc_collate") ?? create.option("locale")
            let name =
                create.option("icu_locale") ?? create.option("builtin_locale")
                ?? (create.option("locale_provider").flatMap { $0 == "libc" ? nil : create.option("locale") })
            locale = collate.map {
                LocaleRecord(
                    provider: create.option("locale_provider") ?? "libc", collate: $0,
                    ctype: create.option("lc_ctype") ?? $0, name: name, rules: create.option("icu_rules"))
            }
        }
        extensions = archive.entries.filter { $0.kind == "EXTENSION" }.map {
            ExtensionRecord(name: $0.tag, version: "", schema: "")
        }
        roles = archive.owners
        let kinds = ["EVENT TRIGGER": "event_trigger", "SUBSCRIPTION": "subscription"]
        ofSuperuser = Set(archive.entries.compactMap { kinds[$0.kind] }).sorted()
    }

    /// The role in `reader=c/owner` or `"odd one"=c/owner`; nil for all roles.
    private static func grantee(of item: String) -> String? {
        guard let first = SQLStatement.all(in: item.nameBytes).first?.tokens.first, let name = first.name else {
            return nil
        }
        // The server writes names as they are, in quotes only if they need them: nothing is folded.
        return first.kind == .name
            ? String(decoding: name, as: UTF8.self) : String(item.utf8.prefix { $0 != UInt8(ascii: "=") })
    }
}

extension ArchiveEntries {
    /// The roles that own something in it.
    var owners: [String] {
        var seen: Set<[UInt8]> = []
        return entries.lazy.map(\.owner).filter { !$0.isEmpty && seen.insert($0.nameBytes).inserted }
    }

    /// Which of these names its statements about rights and the database itself hold.
    func roles(among names: Set<[UInt8]>) -> Set<[UInt8]> {
        let kinds: Set = ["ACL", "DEFAULT ACL", "POLICY", "DATABASE PROPERTIES"]
        var found = Set(owners.map(\.nameBytes)).intersection(names)
        for entry in entries where kinds.contains(entry.kind) {
            for statement in SQLStatement.all(in: entry.statement ?? []) {
                for token in statement.tokens {
                    if let name = token.name, names.contains(name) { found.insert(name) }
                }
            }
        }
        return found
    }

    /// The tablespaces that something in it is put into.
    var tablespaces: Set<String> {
        let ofDatabase = entries.first { $0.kind == "DATABASE" }?.statement.flatMap {
            SQLStatement.all(in: $0).first?.option("tablespace")
        }
        return Set(entries.compactMap(\.tablespace).filter { !$0.isEmpty } + [ofDatabase].compactMap(\.self))
    }
}

extension SQLStatement {
    /// The value of an option of CREATE DATABASE, such as `ENCODING = 'UTF8'`.
    func option(_ keyword: String) -> String? {
        guard let place = tokens.firstIndex(where: { $0.isWord(keyword) }), place + 2 < tokens.count,
            tokens[place + 1].value == [UInt8(ascii: "=")]
        else { return nil }
        return String(decoding: tokens[place + 2].value, as: UTF8.self)
    }
}
