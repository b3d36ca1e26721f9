import DumpCore

extension DatabaseComparison {
    /// What `CREATE DATABASE` and `ALTER DATABASE` make.
    func compareAttributes(_ record: DatabaseRecord, _ restored: RestoredDatabase, _ result: inout ComparisonResult) {
        let found = restored.record
        result.expect("encoding", of: "database", record.encoding, found: found.encoding)
        compareLocales(record.locale, found.locale, &result)
        result.expect("owner", of: "database", record.owner, found: found.owner)
        result.expect("connection_limit", of: "database", record.connectionLimit, found: found.connectionLimit)
        result.expect("is_template", of: "database", "\(record.isTemplate)", found: "\(found.isTemplate)")
        result.expect("tablespace", of: "database", record.tablespace, found: found.tablespace)
        result.expect("comment", of: "database", record.comment, found: found.comment)
        compareGrants(record, found, &result)
        guard isKnown("settings", record, restored, &result) else { return }
        result.expect("settings", record.settings, found: found.settings)
    }

    private func compareLocales(_ old: LocaleRecord, _ new: LocaleRecord, _ result: inout ComparisonResult) {
        result.expect("locale", of: "provider", old.provider, found: new.provider)
        result.expect("locale", of: "collation", old.collate, found: new.collate)
        result.expect("locale", of: "character classes", old.ctype, found: new.ctype)
        result.expect("locale", of: "name", old.languageTag, found: new.languageTag)
        result.expect("locale", of: "rules", old.rules, found: new.rules)
        guard let version = old.collationVersion, let now = new.collationVersion, version != now else { return }
        result.add(
            Finding(
                .note, "collation_version_differs", object: name,
                "database '\(name)' is restored with collation version \(now), and had \(version)",
                hint: "Text may sort otherwise than before. Its indexes were built with the new version and are right.")
        )
    }

    private func compareGrants(_ old: DatabaseRecord, _ new: DatabaseRecord, _ result: inout ComparisonResult) {
        let expected = DatabaseGrants(of: old)
        let found = DatabaseGrants(of: new)
        result.agree("grants", count: expected.items.count)
        for item in expected.items.subtracting(found.items).sorted() where !item.isOfMissingRole {
            result.differ("grants", item.shown, expected: "granted", found: "none")
        }
        for item in found.items.subtracting(expected.items).sorted() {
            result.differ("grants", item.shown, expected: "none", found: "granted")
        }
    }
}

extension ComparisonResult {
    /// Settings of roles and databases. If a value was not recorded, as it may be a secret, only the name is compared.
    mutating func expect(_ fact: String, _ expected: [SettingRecord], found: [SettingRecord]) {
        let (old, new) = (expected.byOwner, found.byOwner)
        for key in Set(old.keys).union(new.keys).sorted(by: { $0.shown < $1.shown }) {
            expect(fact, of: key.shown, old[key], found: new[key])
        }
    }
}

private struct SettingKey: Hashable {
    var role: [UInt8]?
    var name: [UInt8]

    var shown: String {
        let setting = String(decoding: name, as: UTF8.self)
        return role.map { "\(setting) for \(String(decoding: $0, as: UTF8.self))" } ?? setting
    }
}

extension [SettingRecord] {
    fileprivate var byOwner: [SettingKey: String] {
        var settings: [SettingKey: String] = [:]
        for setting in self {
            settings[SettingKey(role: setting.role.map { [UInt8]($0.utf8) }, name: [UInt8](setting.name.utf8))] =
                setting.value ?? "set"
        }
        return settings
    }
}

extension LocaleRecord {
    /// PostgreSQL 16 and newer turn an ICU locale such as `de_AT` into the language tag `de-AT` when they create a database.
    fileprivate var languageTag: String? {
        guard provider == "icu" else { return name }
        return name.map { $0.split(atASCII: "_").joined(separator: "-").lowercased() }
    }
}
