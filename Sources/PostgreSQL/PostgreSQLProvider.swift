import DumpCore
import Glibc
import Linux
import Processes

/// Dumps a PostgreSQL cluster: asks the server over libpq what it has, and lets pg_dump and pg_dumpall write it.
public struct PostgreSQLProvider: UndoingProvider {
    let settings: PostgreSQLSettings
    let password: @Sendable () async throws -> Secret?
    let runner: ProgramRunner

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
        try await examined(for: run)
    }

    public func undo(_ record: UndoRecord, in run: RunContext) async throws(DumpError) {
        let paused = try PausedReplay(of: record)
        let (ofSettings, ofService) = try connectionOptions()
        let options = try await inContainer(ofSettings)
        let password = try await resolvedPassword() ?? ofService
        var pinned = options.pinned(to: paused)
        // A container that was restarted has another first process.
        if settings.container != nil { pinned["host"] = options["host"] }
        try await Session.connect(pinned, password: password, as: try account()).closing {
            session throws(DumpError) in try await ReplayPause.undo(paused, on: session)
        }
    }

    func account() throws(DumpError) -> UserAccount? {
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

    /// Where to connect, and the password that its service file gives.
    func connectionOptions() throws(DumpError) -> (ConnectionOptions, password: Secret?) {
        var options = try ConnectionOptions(parsing: settings.connection)
        let service = try service(of: options)
        if let service { options = options.resolving(service) }
        let isNamed =
            options["dbname"] != nil || options["service"] != nil || getenv("PGDATABASE") != nil
            || getenv("PGSERVICE") != nil
        // libpq's own default is a database called like the role, which a role for backups seldom has.
        if !isNamed { options["dbname"] = "postgres" }
        return (options, service?.password)
    }

    /// The service that the job file names, if it stands in a home. libpq finds all others by itself, for the programs too.
    private func service(of options: ConnectionOptions) throws(DumpError) -> ServiceFile? {
        guard let name = options["service"], getenv("PGSERVICEFILE") == nil else { return nil }
        let ours = getenv("HOME").map { String(cString: $0) } ?? UserAccount.current?.home
        return try ServiceFile.find(name, in: [try account()?.home, ours].compactMap { $0 })
    }

    func resolvedPassword() async throws(DumpError) -> Secret? {
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
