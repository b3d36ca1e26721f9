/// What a database was like as of its dump's snapshot, for comparing it with what a restore makes of the dump.
///
/// Objects that come with PostgreSQL or belong to an extension are left out: another version brings others. No passwords, no connection
/// strings, and of settings with a dot in their names, which may hold anything, the name alone.
public struct DatabaseRecord: Sendable, Codable, Hashable {
    public var encoding: String
    public var locale: LocaleRecord
    public var owner: String
    /// How many connections it allows at once; -1 for any number.
    public var connectionLimit: Int64
    public var isTemplate: Bool
    /// Where it is, unless that is `pg_default`.
    public var tablespace: String?
    public var comment: String?
    /// Access privileges as the server writes them, such as `reader=c/owner`; nil for the default ones.
    public var grants: [String]?
    /// Settings from `ALTER DATABASE … SET` and `ALTER ROLE … IN DATABASE … SET`.
    public var settings: [SettingRecord]
    /// How many there are of each kind of object: `table`, `view`, `function` and so on. Kinds without any are left out.
    public var objects: [String: Int64]
    /// Digest over the columns of all tables, views and the like; see `TableContents.columns`.
    public var columnsSHA256: String?
    public var constraints: ConstraintsRecord?
    /// Indexes that are not valid, as `schema.name`: the first hundred.
    public var invalidIndexes: [String]
    public var extensions: [ExtensionRecord]
    public var subscriptions: [SubscriptionRecord]
    public var largeObjects: Int64?
    /// In the order of schema and name. Read right before pg_dump, outside of its snapshot, as sequences are: the dump's values are these or later ones.
    public var sequences: [SequenceRecord]
    /// What could not be learnt, such as `sequences`: the server refused, or it took too long.
    public var missing: [String]

    public init(
        encoding: String, locale: LocaleRecord, owner: String, connectionLimit: Int64, isTemplate: Bool,
        tablespace: String? = nil, comment: String? = nil, grants: [String]? = nil, settings: [SettingRecord] = [],
        objects: [String: Int64] = [:], columnsSHA256: String? = nil, constraints: ConstraintsRecord? = nil,
        invalidIndexes: [String] = [], extensions: [ExtensionRecord] = [], subscriptions: [SubscriptionRecord] = [],
        largeObjects: Int64? = nil, sequences: [SequenceRecord] = [], missing: [String] = []
    ) {
        self.encoding = encoding
        self.locale = locale
        self.owner = owner
        self.connectionLimit = connectionLimit
        self.isTemplate = isTemplate
        self.tablespace = tablespace
        self.comment = comment
        self.grants = grants
        self.settings = settings
        self.objects = objects
        self.columnsSHA256 = columnsSHA256
        self.constraints = constraints
        self.invalidIndexes = invalidIndexes
        self.extensions = extensions
        self.subscriptions = subscriptions
        self.largeObjects = largeObjects
        self.sequences = sequences
        self.missing = missing
    }
}

/// The locale of a database.
public struct LocaleRecord: Sendable, Codable, Hashable {
    /// `libc`, `icu` or `builtin`.
    public var provider: String
    public var collate: String
    public var ctype: String
    /// The locale of ICU or of the builtin provider.
    public var name: String?
    /// Rules for ICU, if the database has its own.
    public var rules: String?
    /// The version of the provider's collations when the database was created or refreshed.
    public var collationVersion: String?

    public init(
        provider: String, collate: String, ctype: String, name: String? = nil, rules: String? = nil,
        collationVersion: String? = nil
    ) {
        self.provider = provider
        self.collate = collate
        self.ctype = ctype
        self.name = name
        self.rules = rules
        self.collationVersion = collationVersion
    }
}

/// One setting of a database or role.
public struct SettingRecord: Sendable, Codable, Hashable {
    /// Whose it is; nil for all roles.
    public var role: String?
    public var name: String
    /// Nil for a name with a dot: an extension or application may keep anything there, secrets too.
    public var value: String?

    /// - Parameter assignment: as `setconfig` has it, such as `work_mem=5MB`.
    public init(role: String?, _ assignment: String) {
        let text = assignment.utf8
        let end = text.firstIndex(of: UInt8(ascii: "=")) ?? text.endIndex
        self.role = role
        name = String(assignment[..<end])
        let mayBeSecret = name.utf8.contains(UInt8(ascii: "."))
        value = mayBeSecret || end == text.endIndex ? nil : String(assignment[text.index(after: end)...])
    }
}

/// The constraints of a database, those of partitions that follow from their parents' left out, and NOT NULL, which columns tell.
public struct ConstraintsRecord: Sendable, Codable, Hashable {
    /// By kind: `check`, `foreign_key`, `primary_key`, `unique`, `exclusion`, `trigger`.
    public var counts: [String: Int64]
    /// How many of them were never checked against all rows (`NOT VALID`).
    public var notValidated: Int64
    /// Over table, name, kind and validity of each. Nil without any.
    public var sha256: String?

    public init(counts: [String: Int64], notValidated: Int64, sha256: String?) {
        self.counts = counts
        self.notValidated = notValidated
        self.sha256 = sha256
    }
}

public struct ExtensionRecord: Sendable, Codable, Hashable {
    public var name: String
    public var version: String
    public var schema: String

    public init(name: String, version: String, schema: String) {
        self.name = name
        self.version = version
        self.schema = schema
    }
}

/// A subscription, without how it connects.
public struct SubscriptionRecord: Sendable, Codable, Hashable {
    public var name: String
    public var isEnabled: Bool
    public var publications: [String]

    public init(name: String, isEnabled: Bool, publications: [String]) {
        self.name = name
        self.isEnabled = isEnabled
        self.publications = publications
    }
}

public struct SequenceRecord: Sendable, Codable, Hashable {
    public var schema: String
    public var name: String
    /// Nil for one that was never used, or that our role may not read.
    public var lastValue: Int64?

    public init(schema: String, name: String, lastValue: Int64?) {
        self.schema = schema
        self.name = name
        self.lastValue = lastValue
    }
}
