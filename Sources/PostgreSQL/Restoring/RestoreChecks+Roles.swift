import DumpCore

extension RestoreChecks {
    /// Roles that will be created, that differ from the dumped ones, and that cannot be had.
    func roles(_ session: Session) async throws(DumpError) -> [Finding] {
        guard !isEmptyServer, !isOfTables else { return [] }
        let found = try await ClusterRecorder(session: session).ask().roles
        let existing = Set(found.map(\.name.nameBytes))
        let dumped = dump.cluster.map { $0.missing.contains("roles") ? nil : $0.roles } ?? nil
        var findings: [Finding] = []
        let needed = Dictionary(databases.flatMap(\.dumped.needs.roles).map { ($0.nameBytes, $0) }) { first, _ in first
        }
        let missing = needed.filter { !existing.contains($0.key) && !$0.value.hasBytePrefix("pg_") }
        for name in missing.values.sorted() {
            if let dumped, !dumped.contains(where: { $0.name.nameBytes == name.nameBytes }) {
                findings.append(
                    Finding(
                        .failure, "role_missing", object: name,
                        "role '\(name)' is neither on the server nor in the dump, and something belongs to it or is granted to it",
                        hint: "Run: CREATE ROLE \(name.asIdentifier)"))
            } else {
                findings.append(
                    Finding(
                        .note, "role_created", object: name, "role '\(name)' is not on the server and will be created"))
            }
        }
        if !missing.isEmpty { findings += try await mayCreateRoles(session) }
        for role in dumped ?? [] {
            guard let other = found.first(where: { $0.name.nameBytes == role.name.nameBytes }) else { continue }
            if let difference = role.difference(from: other) { findings.append(difference) }
        }
        return findings
    }

    private func mayCreateRoles(_ session: Session) async throws(DumpError) -> [Finding] {
        let row = try await session.row(
            "select rolsuper or rolcreaterole as may_create from pg_roles where rolname = current_user")
        guard try !row.flag("may_create") else { return [] }
        let name = target.facts.role.name
        return [
            Finding(
                .failure, "restore_needs_createrole", object: name,
                "role '\(name)' may not create the roles that are missing",
                hint: "Connect as a superuser, usually postgres, or create them first.")
        ]
    }
}

extension RoleRecord {
    /// What differs in the role that is there, which stays as it is.
    fileprivate func difference(from existing: RoleRecord) -> Finding? {
        var differences: [String] = []
        let (had, has) = (Set(attributes), Set(existing.attributes))
        let (lost, gained) = (had.subtracting(has).sorted(), has.subtracting(had).sorted())
        if !lost.isEmpty { differences.append("it lacks \(lost.joined(separator: ", "))") }
        if !gained.isEmpty { differences.append("it has \(gained.joined(separator: ", "))") }
        if connectionLimit != existing.connectionLimit {
            differences.append("its connection limit is \(existing.connectionLimit) and was \(connectionLimit)")
        }
        if validUntil != existing.validUntil {
            differences.append(
                "its password is valid until \(existing.validUntil ?? "infinity") and was until \(validUntil ?? "infinity")"
            )
        }
        guard !differences.isEmpty else { return nil }
        return Finding(
            .warning, "role_differs", object: name,
            "role '\(name)' is not as it was dumped: \(differences.joined(separator: "; "))",
            hint: "It stays as it is. Compare it with globals.sql of the dump.")
    }
}
