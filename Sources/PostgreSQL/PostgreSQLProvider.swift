import DumpCore
import Glibc
import Linux
import Processes

/// Dumps a PostgreSQL cluster: asks over libpq what there is, and lets pg_dump and pg_dumpall write it.
public struct PostgreSQLProvider: Provider {
    public static let kind = PostgreSQLSettings.kind

    private let settings: PostgreSQLSettings
    private let password: @Sendable () async throws -> Secret?
    private let runner: ProgramRunner

    /// - Parameter password: called once for each prepare; nil leaves it to libpq (peer, a passfile, a certificate). What it
    ///   throws fails the prepare.
    public init(
        settings: PostgreSQLSettings, runner: ProgramRunner,
        password: @escaping @Sendable () async throws -> Secret? = { nil }
    ) {
        self.settings = settings
        self.password = password
        self.runner = runner
    }

    public func prepare(in run: RunContext) async throws(DumpError) -> any PreparedSource {
        do {
            return try await examined(for: run)
        } catch {
            throw error.ofDump(run.dump)
        }
    }

    public func undo(_ record: UndoRecord, in run: RunContext) async throws(DumpError) {
        guard record.kind == ReplayPause.kind else {
            throw DumpError(
                .settings, "nobody knows how to undo \(record.kind) of dump '\(record.dump)'",
                hint: "A newer Muster may have written it: undo it with that one.")
        }
        let session = try await Session.connect(
            try connectionOptions(), password: try await resolvedPassword(), as: try account())
        do {
            try await ReplayPause.undo(record, on: session)
        } catch {
            await session.close()
            throw error
        }
        await session.close()
    }

    private func examined(for run: RunContext) async throws(DumpError) -> PreparedCluster {
        let user = try account()
        let options = try connectionOptions()
        let password = try await resolvedPassword()
        let passfile: Secret? = if let password { try Passfile.text(for: password) } else { nil }
        run.log.debug("connecting to PostgreSQL", metadata: ["connection": "\(options.shown)"])
        let session = try await Session.connect(options, password: password, as: user)
        do {
            let facts = try await ServerFacts.ask(session)
            let selection = DatabaseSelection(
                of: facts.databases, include: settings.include, exclude: settings.exclude)
            let clients = try await Client.installed(in: settings.binDirectory, runner: runner, as: user?.name)
            let client = Result { () throws(DumpError) in
                try Client.chosen(from: clients, for: facts, binDirectory: settings.binDirectory)
            }
            let psql = try await psql(beside: client, as: user)
            let pinned = options.pinned(to: session.endpoint, of: run)
            let opener = SessionOpener(options: pinned.forSnapshots, password: password, user: user)
            let activity = try await ServerActivity.ask(session, about: selection.selected) {
                database throws(DumpError) in try await opener.open(database).session
            }
            let groups = try await groups(of: selection, facts, session, run)
            let hindrances =
                facts.inRecovery && settings.pausesReplay ? try await ReplayPause.findings(on: session, facts) : []
            let cluster = Cluster(
                settings: settings, facts: facts, selection: selection, client: client,
                access: ClusterAccess(
                    options: pinned, controlDatabase: session.endpoint.database, user: user, passfile: passfile,
                    runner: runner),
                opener: opener, groups: groups.groups)
            let open = try await opener.open(groups.groups.first ?? [])
            return PreparedCluster(
                cluster: cluster, session: session, open: open,
                facts: cluster.learnt(psql: psql.version, activity),
                findings: groups.findings + psql.findings + activity.findings(of: facts.role.name) + hindrances,
                omissions: try await omissions(of: cluster, open, session))
        } catch {
            await session.close()
            throw error
        }
    }

    /// The databases to be frozen together, and what there is to say when they are not all in one group.
    private func groups(
        of selection: DatabaseSelection, _ facts: ServerFacts, _ session: Session, _ run: RunContext
    ) async throws(DumpError) -> (groups: [[ServerFacts.Database]], findings: [Finding]) {
        // pg_dumpall takes snapshots of its own, one after the other.
        guard settings.layout == .databases else { return ([], []) }
        // The others are findings already.
        let databases = selection.selected.filter(\.mayConnect)
        let budget = try await ConnectionBudget.ask(session, facts)
        let groups = budget.groups(of: databases, parallel: run.slots.capacity)
        return (
            groups,
            budget.finding(groups, parallel: run.slots.capacity, mustBeExact: settings.consistency == .exact)
        )
    }

    /// The version of the psql beside the chosen client, and what there is to say of it.
    private func psql(
        beside client: Result<Client, DumpError>, as user: UserAccount?
    ) async throws(DumpError) -> (version: Client.Version?, findings: [Finding]) {
        guard case .success(let client) = client else { return (nil, []) }
        let version = try await client.psqlVersion(runner: runner, as: user?.name)
        return (version, client.psqlFindings(version))
    }

    private func omissions(
        of cluster: Cluster, _ open: [OpenDatabase], _ session: Session
    ) async throws(DumpError) -> [Finding] {
        do {
            return cluster.survey.all(
                databases: try await cluster.survey.askDatabases(open: open, opener: cluster.opener),
                cluster: try await cluster.survey.askCluster(session))
        } catch {
            await open.close()
            throw error
        }
    }

    private func account() throws(DumpError) -> UserAccount? {
        guard let name = settings.runAs else { return nil }
        guard let account = UserAccount(named: name) else {
            throw DumpError(
                .settings, "run_as names the user '\(name)', who does not exist on this host",
                hint: "Name the system user that the server's role belongs to, usually postgres.")
        }
        guard UserAccount.currentIsRoot || account.uid == geteuid() else {
            throw DumpError(
                .settings, "run_as '\(name)' needs root, and Muster runs as '\(UserAccount.current?.name ?? "?")'",
                hint: "Run Muster as root or as '\(name)', or remove run_as.")
        }
        return account
    }

    private func connectionOptions() throws(DumpError) -> ConnectionOptions {
        var options = try ConnectionOptions(parsing: settings.connection)
        let isNamed =
            options["dbname"] != nil || options["service"] != nil || getenv("PGDATABASE") != nil
            || getenv("PGSERVICE") != nil
        // libpq's own default is a database called like the role, which a role for backups seldom has.
        if !isNamed { options["dbname"] = "postgres" }
        return options
    }

    private func resolvedPassword() async throws(DumpError) -> Secret? {
        let found: Secret?
        do {
            found = try await password()
        } catch let error as DumpError {
            throw error
        } catch {
            let described = error as? any OperatorError
            throw DumpError(
                .settings, described?.message ?? "no password: \(error)", hint: described?.hint,
                context: described?.context ?? [:], underlying: error)
        }
        // libpq would take it without a word, and the programs, which never see it, would fail.
        guard found != nil || getenv("PGPASSWORD") == nil else {
            throw DumpError(
                .settings, "PGPASSWORD is set, and Muster takes no password from the environment",
                hint: "Unset it, and write 'password: {file: PATH}' or 'password: {command: COMMAND}' in the job file.")
        }
        return found
    }
}

extension DumpError {
    /// The same error with the dump's name before its other facts.
    func ofDump(_ name: String) -> DumpError {
        var error = self
        error.context = ["dump": name]
        for fact in context { error.context[fact.name] = fact.value }
        return error
    }
}
