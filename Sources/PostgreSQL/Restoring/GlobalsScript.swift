import DumpCore
import SystemPackage

/// The script of pg_dumpall that makes what belongs to a whole cluster, taken apart. It holds the hashes of passwords: never shown or logged.
struct GlobalsScript: Sendable {
    static let file: FilePath = "globals.sql"
    static let sizeLimit: Int64 = 256 << 20

    private let statements: [SQLStatement]
    /// All roles that it creates, in its order.
    let roles: [String]
    /// With their directories.
    let tablespaces: [TablespaceRecord]

    /// - Parameter script: its bytes. Throws if they are in another encoding than UTF-8.
    init(_ script: [UInt8]) throws(DumpError) {
        guard String(validating: script, as: UTF8.self) != nil else {
            throw DumpError(
                .settings, "the names of roles in \(Self.file) are not in UTF-8",
                hint: "Create the missing roles by hand, then run the restore again.")
        }
        statements = SQLStatement.all(in: script)
        roles = statements.compactMap { statement in
            statement.begins("create", "role") ? statement.tokens[2...].first?.name : nil
        }.map { String(decoding: $0, as: UTF8.self) }
        tablespaces = statements.compactMap { statement in
            guard statement.begins("create", "tablespace"), let name = statement.tokens[2...].first?.name,
                let location = statement.tokens.last, location.kind == .string
            else { return nil }
            return TablespaceRecord(
                name: String(decoding: name, as: UTF8.self),
                owner: String(decoding: statement.name(after: "owner") ?? [], as: UTF8.self),
                location: String(decoding: location.value, as: UTF8.self))
        }
    }
}

extension GlobalsScript {
    /// The statements that make these roles and no others, with their passwords, settings, comments and memberships.
    ///
    /// - Parameter existing: roles that are there, and stay as they are. The new ones become members of them.
    func statements(making missing: Set<[UInt8]>, besides existing: Set<[UInt8]>) -> [String] {
        statements.compactMap { statement in
            if let role = statement.subject { return missing.contains(role) ? statement.text : nil }
            guard let (group, member) = statement.membership, missing.contains(member),
                missing.contains(group) || existing.contains(group)
            else { return nil }
            // The one who granted it need not be there, or may have no right to do so here.
            return statement.before("granted").text
        }
    }

    /// Which of these roles' memberships are left out, as they would alter a role that is there: such as `GRANT reader TO app`.
    func memberships(in missing: Set<[UInt8]>, of existing: Set<[UInt8]>) -> [String] {
        statements.compactMap { statement in
            guard let (group, member) = statement.membership, missing.contains(group), existing.contains(member) else {
                return nil
            }
            return statement.before("granted").text
        }
    }

    /// With all roles that one of these is a member of.
    func withGroups(of roles: Set<[UInt8]>) -> Set<[UInt8]> {
        let memberships = statements.compactMap(\.membership)
        var all = roles
        while true {
            let groups = memberships.filter { all.contains($0.member) }.map(\.group)
            guard !all.isSuperset(of: groups) else { return all }
            all.formUnion(groups)
        }
    }
}

extension SQLStatement {
    /// The role that it creates, alters, sets something for, or comments on.
    fileprivate var subject: [UInt8]? {
        if begins("create", "role") || begins("alter", "role") {
            return tokens.dropFirst(2).first?.name
        }
        if begins("comment", "on", "role") || begins("security", "label") { return name(after: "on", "role") }
        return nil
    }

    /// The roles of `GRANT group TO member`, not of a grant of privileges.
    fileprivate var membership: (group: [UInt8], member: [UInt8])? {
        guard begins("grant"), tokens.count >= 4, tokens[2].isWord("to"), let group = tokens[1].name,
            let member = tokens[3].name
        else { return nil }
        return (group, member)
    }
}
