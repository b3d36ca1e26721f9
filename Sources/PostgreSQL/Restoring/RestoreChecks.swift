import DumpCore
import Processes

/// What stands in the way of a restore, found out before anything is created.
struct RestoreChecks: Sendable {
    var dump: Manifest.DumpRecord
    var target: RestoreTarget
    var databases: [RestoringDatabase]
    /// Whether the server holds nothing but what initdb made: then it gets all roles and tablespaces of the dump.
    var isEmptyServer: Bool
    /// Tables are restored without owners and privileges.
    var isOfTables: Bool
    /// The tablespaces that the dump's archives use, where they were read.
    var tablespacesInUse: Set<String>?

    func findings(_ session: Session) async throws(DumpError) -> [Finding] {
        if target.facts.inRecovery { return [.standby] }
        var findings = try await role(session) + unrecorded()
        findings += try await tablespaces(session)
        findings += try await extensions(session)
        findings += try await preloadLibraries(session)
        findings += try await locales(session)
        findings += try await roles(session)
        findings += try await replaced(session)
        findings += try await space(session)
        return findings.enumerated().sorted {
            ($1.element.severity, $0.offset) < ($0.element.severity, $1.offset)
        }.map(\.element)
    }

    /// What older Musters did not record is learnt from the archive's own statements, and cannot be compared afterwards.
    private func unrecorded() -> [Finding] {
        let names = databases.filter { $0.dumped.contents.record == nil }.map(\.dumped.name)
        guard !names.isEmpty else { return [] }
        return [
            Finding(
                .warning, "restore_unrecorded", object: names.joined(separator: ", "),
                "the manifest is of an older Muster and does not record what \(counted(Int64(names.count), "database")) had",
                hint: "Their settings and privileges come from the archive itself. Only rows can be compared.")
        ]
    }

    private func role(_ session: Session) async throws(DumpError) -> [Finding] {
        let role = target.facts.role
        guard !role.isSuperuser else { return [] }
        let row = try await session.row("select rolcreatedb as may_create from pg_roles where rolname = current_user")
        guard try row.flag("may_create") else {
            return [
                Finding(
                    .failure, "restore_needs_createdb", object: role.name,
                    "role '\(role.name)' may not create databases",
                    hint:
                        "Connect as a superuser, usually postgres, or run: ALTER ROLE \(role.name.asIdentifier) CREATEDB"
                )
            ]
        }
        let kinds = Set(databases.flatMap(\.dumped.needs.ofSuperuser)).sorted()
        guard kinds.isEmpty else {
            return [
                Finding(
                    .failure, "restore_needs_superuser", object: role.name,
                    "role '\(role.name)' is not a superuser and cannot create: \(kinds.joined(separator: ", "))",
                    hint: "Connect as a superuser, usually postgres.")
            ]
        }
        return [
            Finding(
                .warning, "restore_role_limited", object: role.name,
                "role '\(role.name)' is not a superuser: the restore fails at the first object that it may not make",
                hint: "Connect as a superuser, usually postgres.")
        ]
    }
}

extension Finding {
    fileprivate static var standby: Finding {
        Finding(
            .failure, "restore_to_standby", object: "server", "the server is a standby, which takes no changes",
            hint: "Name its primary with --to.")
    }
}

extension RestoreChecks {
    /// Logical replication, prepared transactions: what stays with the old database when another takes its name.
    private func replaced(_ session: Session) async throws(DumpError) -> [Finding] {
        var findings: [Finding] = []
        for database in databases {
            guard let live = database.live else { continue }
            let prepared = try await session.query(
                "select gid from pg_prepared_xacts where database = $1 order by gid", [live.name])
            for row in prepared {
                let gid = try row.text("gid")
                findings.append(
                    Finding(
                        .failure, "prepared_transaction", object: live.name,
                        "database '\(live.name)' has the prepared transaction '\(gid)', and cannot be renamed",
                        hint: "Connect to it and run COMMIT PREPARED \(gid.asLiteral), or ROLLBACK PREPARED."))
            }
            let slots = try await session.query(
                "select slot_name as name from pg_replication_slots where database = $1 order by 1", [live.name])
            for row in slots {
                let slot = try row.text("name")
                findings.append(
                    Finding(
                        .warning, "slot_stays_behind", object: live.name,
                        "replication slot '\(slot)' stays with the old database: its subscribers stop",
                        hint: "Set up its subscribers again afterwards, then run "
                            + "SELECT pg_drop_replication_slot(\(slot.asLiteral))."))
            }
            findings += try await subscriptions(of: live, session)
        }
        return findings
    }

    private func subscriptions(
        of live: ServerFacts.Database, _ session: Session
    ) async throws(DumpError) -> [Finding] {
        guard target.facts.role.isSuperuser else { return [] }
        let rows = try await session.query(
            "select subname as name from pg_subscription where subdbid::text = $1 and subenabled order by 1",
            [String(live.oid)])
        return try rows.map { row throws(DumpError) in
            let name = try row.text("name")
            return Finding(
                .warning, "subscription_stays_behind", object: live.name,
                "subscription '\(name)' stays with the old database, and goes on filling it",
                hint:
                    "The restored one is disabled and has no slot. Move the slot with ALTER SUBSCRIPTION … SET (slot_name = …)."
            )
        }
    }
}
