import DumpCore

/// Compares what belongs to a whole cluster with what the manifest says of it: roles, memberships, settings, tablespaces.
///
/// What the server has besides is not a difference: a restore may have brought the dump's roles to a server that has its own.
struct ClusterComparison: Sendable {
    /// Nil if the manifest, of an older Muster or of one database, has none.
    let record: ClusterRecord?
    /// The major version of the dumped server.
    let dumpedMajor: Int?
    /// Whether tablespaces are where they were, and whose. A drill has them elsewhere.
    var comparesTablespaces = true

    init(of dump: Manifest.DumpRecord) { (record, dumpedMajor) = (dump.cluster, dump.dumpedMajor) }

    /// - Parameters:
    ///   - session: in no transaction, as a superuser.
    ///   - major: of the restored server.
    func compare(in session: Session, major: Int) async throws(DumpError) -> RestoreComparison {
        var result = ComparisonResult()
        guard let record else {
            for fact in ["roles", "memberships", "role_settings", "tablespaces"] { result.leaveOut(fact) }
            return result.comparison
        }
        let found = try await ClusterRecorder(session: session).ask()
        if isKnown("roles", "roles", found, &result) { compareRoles(record, found, &result) }
        if isKnown("memberships", "memberships", found, &result) {
            compareMemberships(record, found, knowOptions: min(dumpedMajor ?? 16, major) >= 16, &result)
        }
        if isKnown("settings", "role_settings", found, &result) {
            let theirs = Set(record.settings.map(\.place))
            let ours = found.settings.filter { theirs.contains($0.place) }
            result.expect("role_settings", record.settings, found: ours)
        }
        if isKnown("tablespaces", "tablespaces", found, &result) { compareTablespaces(record, found, &result) }
        return result.comparison
    }

    private func isKnown(
        _ part: String, _ fact: String, _ found: ClusterRecord, _ result: inout ComparisonResult
    ) -> Bool {
        if record?.missing.contains(part) ?? true {
            result.leaveOut(fact)
            return false
        }
        if found.missing.contains(part) {
            result.leaveOut("\(fact) (the restored server did not tell)")
            return false
        }
        return true
    }

    private func compareRoles(_ record: ClusterRecord, _ found: ClusterRecord, _ result: inout ComparisonResult) {
        for role in record.roles {
            let now = found.roles.first { $0.name.utf8.elementsEqual(role.name.utf8) }
            result.expect("roles", of: role.name, role.shownFacts, found: now?.shownFacts)
        }
    }

    /// Before PostgreSQL 16 a membership had neither these options nor a grantor that must be there.
    private func compareMemberships(
        _ record: ClusterRecord, _ found: ClusterRecord, knowOptions: Bool, _ result: inout ComparisonResult
    ) {
        let there = Set(found.memberships.map { Membership($0, withOptions: knowOptions) })
        for membership in record.memberships {
            let isThere = there.contains(Membership(membership, withOptions: knowOptions))
            let options = membership.options.joined(separator: " ")
            result.expect(
                "memberships", of: "\(membership.member) in \(membership.role)", options.isEmpty ? "there" : options,
                found: isThere ? options.isEmpty ? "there" : options : "none like it")
        }
    }

    private func compareTablespaces(
        _ record: ClusterRecord, _ found: ClusterRecord, _ result: inout ComparisonResult
    ) {
        if !comparesTablespaces, !record.tablespaces.isEmpty {
            result.leaveOut("owners and places of tablespaces (a drill has its own)")
        }
        for tablespace in record.tablespaces {
            let now = found.tablespaces.first { $0.name.utf8.elementsEqual(tablespace.name.utf8) }
            let shown = { (tablespace: TablespaceRecord) in comparesTablespaces ? tablespace.shownFacts : "there" }
            result.expect("tablespaces", of: tablespace.name, shown(tablespace), found: now.map(shown))
        }
    }
}

private struct Membership: Hashable {
    var names: [[UInt8]]
    var options: [String]

    init(_ record: MembershipRecord, withOptions: Bool) {
        names = [record.role, record.member, withOptions ? record.grantor ?? "" : ""].map { Array($0.utf8) }
        options = withOptions ? record.options.sorted() : record.options.filter { $0 == "admin" }
    }
}

extension SettingRecord {
    fileprivate var place: [[UInt8]?] { [role.map { Array($0.utf8) }, Array(name.utf8)] }
}

extension RoleRecord {
    /// All that is on record, on one line.
    fileprivate var shownFacts: String {
        let limits = [
            connectionLimit >= 0 ? "at most \(connectionLimit) connections" : nil, validUntil.map { "until \($0)" },
            comment.map { "comment '\($0)'" },
        ]
        return ([attributes.sorted().joined(separator: " ")] + limits.compactMap(\.self)).joined(separator: ", ")
    }
}

extension TablespaceRecord {
    fileprivate var shownFacts: String {
        ([owner, location] + options.sorted() + (grants ?? []).sorted() + (comment.map { ["comment '\($0)'"] } ?? []))
            .joined(separator: ", ")
    }
}
