import DumpCore
import Linux

extension PostgreSQLProvider {
    /// Connects, and asks everything that must be known before the freeze.
    func examined(for run: RunContext) async throws(DumpError) -> PreparedCluster {
        let user = try account()
        let (ofSettings, ofService) = try connectionOptions()
        let options = try await inContainer(ofSettings)
        let password = try await resolvedPassword() ?? ofService
        run.log.debug("connecting to PostgreSQL", metadata: ["connection": "\(options.shown)"])
        let session = try await Session.connect(options, password: password, as: user)
        do {
            return try await examined(by: session, options, password, for: run)
        } catch {
            await session.close()
            throw error
        }
    }

    /// Looks again when a database was dropped between two questions about it.
    private func examined(
        by session: Session, _ options: ConnectionOptions, _ password: Secret?, for run: RunContext
    ) async throws(DumpError) -> PreparedCluster {
        // Each start of a program takes as long as several answers of the server.
        async let clients = Result.awaiting { () async throws(DumpError) in
            try await Client.installed(in: settings.binDirectory, runner: runner, as: try account()?.name)
        }
        for _ in 1..<Self.mostLooks {
            let facts = try await ServerFacts.ask(session)
            do {
                return try await examined(facts, by: session, options, password, clients.get(), for: run)
            } catch {
                guard try await !ServerFacts.ask(session).hasAll(of: facts) else { throw error }
            }
        }
        return try await examined(
            try await ServerFacts.ask(session), by: session, options, password, clients.get(), for: run)
    }

    private static let mostLooks = 10

    private func examined(
        _ facts: ServerFacts, by session: Session, _ options: ConnectionOptions, _ password: Secret?,
        _ clients: [Client], for run: RunContext
    ) async throws(DumpError) -> PreparedCluster {
        let user = try account()
        let passfile: Secret? = if let password { try Passfile.text(for: password) } else { nil }
        let selection = DatabaseSelection(
            of: facts.databases, include: settings.include, exclude: settings.exclude)
        let client = Result { () throws(DumpError) in
            try Client.chosen(from: clients, for: facts, binDirectory: settings.binDirectory)
        }
        async let asked = Result.awaiting { () async throws(DumpError) in try await self.psql(beside: client, as: user)
        }
        let pinned = options.pinned(to: session.endpoint, of: run).speaking(to: facts)
        var opener = SessionOpener(options: pinned.forSnapshots, password: password, user: user)
        let activity = try await ServerActivity.ask(session, about: selection.selected) {
            database throws(DumpError) in try await opener.open(database).session
        }
        let groups = try await groups(of: selection, session, run)
        opener.atOnce = groups.opensAtOnce
        let readOnly = try await ReadOnlyDatabases.findings(on: session, among: selection.selected)
        let hindrances =
            facts.inRecovery && settings.pausesReplay ? try await ReplayPause.findings(on: session, facts) : []
        let condition = try await ServerCondition(server: facts).findings(on: session, among: selection.selected)
        let psql = try await asked.get()
        var cluster = Cluster(
            settings: settings, facts: facts, selection: selection, client: client,
            access: ClusterAccess(
                options: pinned, controlDatabase: session.endpoint.database, user: user, passfile: passfile,
                runner: runner),
            opener: opener, groups: groups.groups)
        let open = try await opener.open(groups.groups.first ?? [])
        let surveyed = try await surveyed(cluster, open, session)
        cluster.prepared = surveyed.databases
        return PreparedCluster(
            cluster: cluster, session: session, open: open,
            facts: cluster.learnt(psql: psql.version, activity),
            findings: groups.findings + psql.findings + activity.findings(of: facts.role.name) + readOnly
                + hindrances + condition + surveyed.findings,
            omissions: surveyed.omissions)
    }

    /// The databases to be frozen together, and the findings when they are not all in one group.
    private func groups(
        of selection: DatabaseSelection, _ session: Session, _ run: RunContext
    ) async throws(DumpError) -> (groups: [[ServerFacts.Database]], findings: [Finding], opensAtOnce: Int) {
        let budget = ConnectionBudget(
            free: try await ConnectionBudget.free(for: session), share: settings.connectionShare,
            files: ResourceLimit.openFiles.value)
        // pg_dumpall takes snapshots of its own, one after the other.
        guard settings.layout == .databases else {
            let finding = Finding.outsideFreeze(
                "pg_dumpall reads all databases", object: "pg_dumpall",
                hint: "Set layout: databases if they belong to the application.")
            let findings = selection.selected.compactMap(\.nameUnfitForScript)
            return ([], findings + (run.surroundings.isApplicationHeld ? [finding] : []), budget.opensAtOnce(beside: 0))
        }
        // The others are findings already.
        let databases = selection.selected.filter(\.mayConnect)
        let groups = budget.groups(
            of: databases, parallel: run.turns.slots.capacity, isApplicationHeld: run.surroundings.isApplicationHeld)
        return (
            groups,
            budget.findings(
                groups, parallel: run.turns.slots.capacity, mustBeExact: settings.consistency == .exact,
                isApplicationHeld: run.surroundings.isApplicationHeld)
                + budget.longHolds(groups, parallel: run.turns.slots.capacity),
            budget.opensAtOnce(beside: groups.first?.count ?? 0)
        )
    }

    /// The version of the psql beside the chosen client, and the findings about it.
    private func psql(
        beside client: Result<Client, DumpError>, as user: UserAccount?
    ) async throws(DumpError) -> (version: Client.Version?, findings: [Finding]) {
        guard case .success(let client) = client else { return (nil, []) }
        let version = try await client.psqlVersion(runner: runner, as: user?.name)
        return (version, client.psqlFindings(version))
    }

    private func surveyed(
        _ cluster: Cluster, _ open: [OpenDatabase], _ session: Session
    ) async throws(DumpError) -> SurveyedCluster {
        do {
            return try await SurveyedCluster.ask(cluster, open, session)
        } catch {
            await open.close()
            throw error
        }
    }
}

extension ServerFacts.Database {
    /// pg_dumpall hands the name to pg_dump through a shell, and refuses one with a line break (`appendShellString` in `string_utils.c`).
    fileprivate var nameUnfitForScript: Finding? {
        guard name.utf8.contains(where: { [UInt8(ascii: "\n"), UInt8(ascii: "\r")].contains($0) }) else { return nil }
        return Finding(
            .failure, "name_with_line_break", object: name,
            "pg_dumpall refuses database '\(name.onOneLine)': its name holds a line break",
            hint: "Rename it, leave it out with 'databases: {exclude: [NAME]}', or set 'layout: databases'.")
    }
}
