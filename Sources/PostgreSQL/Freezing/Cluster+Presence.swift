import DumpCore

extension Cluster {
    /// Opens sessions in the databases of a later group and freezes them. Those that were dropped meanwhile are left out.
    ///
    /// - Parameter control: a session that is in no transaction.
    func frozen(
        _ databases: [ServerFacts.Database], control: Session
    ) async throws(DumpError) -> (group: FrozenGroup, gone: [Finding]) {
        let gone = try await dropped(databases, control: control)
        let open = try await opener.open(databases.filter { !gone.contains($0) })
        let group: FrozenGroup
        let late: [Finding]
        do {
            (group, late) = try await freezePresent(open, control: control)
        } catch {
            await open.close()
            throw error
        }
        return (group, try allowed(gone) + late)
    }

    /// Freezes the databases that are still there.
    ///
    /// - Parameter isPaused: replay on this standby is paused.
    func freezePresent(
        _ open: [OpenDatabase], control: Session, isPaused: Bool = false
    ) async throws(DumpError) -> (group: FrozenGroup, gone: [Finding]) {
        do {
            return (try await freeze(open, isPaused: isPaused), [])
        } catch {
            guard error.code == .sourceUnavailable else { throw error }
            let gone = try await dropped(open.map(\.database), control: control)
            guard !gone.isEmpty else { throw error }
            let findings = try allowed(gone)
            let rest = open.filter { !gone.contains($0.database) }
            // They have begun. One that was lost for another reason fails here.
            for database in rest { _ = try await database.session.query("rollback") }
            return (try await freeze(rest, isPaused: isPaused), findings)
        }
    }

    /// Those of the databases that are on the server no longer.
    func dropped(
        _ databases: [ServerFacts.Database], control: Session
    ) async throws(DumpError) -> Set<ServerFacts.Database> {
        var present: Set<Int64> = []
        for row in try await control.query("select oid::bigint as oid from pg_database") {
            present.insert(try row.integer("oid"))
        }
        return Set(databases.filter { !present.contains($0.oid) })
    }

    /// What there is to say of databases that were dropped. Throws when the job must not do without them.
    func allowed(_ dropped: Set<ServerFacts.Database>) throws(DumpError) -> [Finding] {
        let findings = settings.omissionPolicy.judged(dropped.sorted { $0.name < $1.name }.map(finding))
        try settings.omissionPolicy.requireAllowed(findings)
        return findings
    }

    private func finding(ofDropped database: ServerFacts.Database) -> Finding {
        let isNamed = settings.include.map(Glob.init).contains { $0.isPlainName && $0.matches(database.name) }
        return Finding(
            isNamed ? .failure : .warning, .databaseDropped, object: database.name,
            "database '\(database.name)' was dropped during the run",
            hint: isNamed
                ? "Remove it from 'databases: include:', or find out who dropped it."
                : "Nothing to do, if that was intended.")
    }
}
