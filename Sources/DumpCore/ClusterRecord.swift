/// What belongs to a whole cluster and not to one of its databases, for comparing it with what a restore makes of the dump. Read as the dump
/// began: nothing of it is in any snapshot. Passwords are never asked for.
public struct ClusterRecord: Sendable, Codable, Hashable {
    /// The role that initdb made, which every cluster has under some name.
    public var bootstrapRole: String?
    /// Without those that come with PostgreSQL.
    public var roles: [RoleRecord]
    public var memberships: [MembershipRecord]
    /// Settings from `ALTER ROLE … SET` and `ALTER ROLE ALL SET`.
    public var settings: [SettingRecord]
    /// Without those that come with PostgreSQL.
    public var tablespaces: [TablespaceRecord]
    /// `shared_preload_libraries` and its like, by name; those that our role may not see are left out.
    public var preloadLibraries: [String: String]
    /// What could not be learnt, such as `roles`.
    public var missing: [String]

    public init(
        bootstrapRole: String? = nil, roles: [RoleRecord] = [], memberships: [MembershipRecord] = [],
        settings: [SettingRecord] = [], tablespaces: [TablespaceRecord] = [], preloadLibraries: [String: String] = [:],
        missing: [String] = []
    ) {
        self.bootstrapRole = bootstrapRole
        self.roles = roles
        self.memberships = memberships
        self.settings = settings
        self.tablespaces = tablespaces
        self.preloadLibraries = preloadLibraries
        self.missing = missing
    }
}

public struct RoleRecord: Sendable, Codable, Hashable {
    public var name: String
    /// Those that it has, of `bypassrls`, `createdb`, `createrole`, `inherit`, `login`, `replication` and `superuser`.
    public var attributes: [String]
    /// -1 for any number.
    public var connectionLimit: Int64
    /// Until when its password holds, in UTC; nil for ever.
    public var validUntil: String?
    public var comment: String?

    public init(
        name: String, attributes: [String], connectionLimit: Int64, validUntil: String? = nil, comment: String? = nil
    ) {
        self.name = name
        self.attributes = attributes
        self.connectionLimit = connectionLimit
        self.validUntil = validUntil
        self.comment = comment
    }
}

public struct MembershipRecord: Sendable, Codable, Hashable {
    public var role: String
    public var member: String
    public var grantor: String?
    /// Those that it was granted with, of `admin` and, from PostgreSQL 16 on, `inherit` and `set`.
    public var options: [String]

    public init(role: String, member: String, grantor: String?, options: [String]) {
        self.role = role
        self.member = member
        self.grantor = grantor
        self.options = options
    }
}

public struct TablespaceRecord: Sendable, Codable, Hashable {
    public var name: String
    public var owner: String
    /// The directory on the server.
    public var location: String
    /// Such as `random_page_cost=1.1`.
    public var options: [String]
    /// As `DatabaseRecord.grants`.
    public var grants: [String]?
    public var comment: String?

    public init(
        name: String, owner: String, location: String, options: [String] = [], grants: [String]? = nil,
        comment: String? = nil
    ) {
        self.name = name
        self.owner = owner
        self.location = location
        self.options = options
        self.grants = grants
        self.comment = comment
    }
}
