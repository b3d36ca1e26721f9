import CLibPQ
import DumpCore
import Glibc
import Linux

extension Session {
    /// How long a connection may take unless the settings say otherwise.
    static let defaultConnectTimeout = 30

    /// How long each answer to the first questions of a session may take: they touch no table of anybody's.
    private static let firstAnswers = Duration.seconds(45)

    /// Connects, and settles the session. It is read only, has only `pg_catalog` in reach, and has no time limits of the role. It speaks
    /// UTF-8 if the server can convert the database's encoding. It acts in no role that the database's owner has chosen. Throws before any
    /// of that when a pooler stands between.
    ///
    /// - Parameters:
    ///   - password: handed to libpq in memory, before any that it would find by itself.
    ///   - user: who the connecting thread is to the server's peer authentication, or nil for our own user.
    static func connect(
        _ options: ConnectionOptions, password: Secret?, as user: UserAccount?
    ) async throws(DumpError) -> Session {
        try await onOwnThreadUntilCancelled { stop throws(DumpError) in
            let connection = try established(options, password, as: user, stop)
            try requireServer(connection, options, stop)
            try settle(connection, stop)
            return Session(connection)
        }
    }

    private static func established(
        _ options: ConnectionOptions, _ password: Secret?, as user: UserAccount?, _ stop: StopSign
    ) throws(DumpError) -> Connection {
        guard let user else { return try open(options, password, nil, stop) }
        let attempt: Result<Connection, DumpError>
        do {
            attempt = try user.impersonateOnThisThread {
                Result { () throws(DumpError) in try open(options, password, user, stop) }
            }
        } catch {
            throw DumpError(
                .settings, "cannot act as user '\(user.name)': \(error)",
                hint: "Run Muster as root or as that user, or remove run_as.")
        }
        return try attempt.get()
    }

    private static func open(
        _ options: ConnectionOptions, _ password: Secret?, _ user: UserAccount?, _ stop: StopSign
    ) throws(DumpError) -> Connection {
        let connection = try begin(options, password, user)
        let seconds = connection.option("connect_timeout").flatMap { Int($0) } ?? defaultConnectTimeout
        // As libpq counts: the time holds for each of several hosts, and zero or less is no limit.
        let hosts = (connection.option("host") ?? "").split(atASCII: ",").count
        let limit: Duration? = seconds > 0 ? .seconds(min(max(seconds, 2), 86400) * max(hosts, 1)) : nil
        switch connection.establish(waiting: Waiting(stop: stop, limit: limit)) {
        case .ready: break
        case .stopped: throw DumpError(.cancelled, "connecting to PostgreSQL was cancelled")
        case .tooLong: throw cannotConnect(options, "timeout expired")
        }
        guard connection.status == CONNECTION_OK else { throw cannotConnect(options, connection.problem) }
        return connection
    }

    private static func cannotConnect(_ options: ConnectionOptions, _ problem: String) -> DumpError {
        // libpq's own advice, on lines of its own, is what our hint says too.
        let lines = problem.split(atASCII: "\n").map { String($0).trimmed }.filter { !$0.hasPrefix("Is the server") }
        let cause = FailureCause.ofConnecting(problem)
        return DumpError(
            .sourceUnavailable, "cannot connect to PostgreSQL: \(lines.joined(separator: "; "))",
            hint: cause?.hint, context: ["connection": options.shown], isTransient: cause?.isTransient ?? false)
    }

    private static func begin(
        _ options: ConnectionOptions, _ password: Secret?, _ user: UserAccount?
    ) throws(DumpError) -> Connection {
        var parameters = options
        // It suits any database: it means no conversion at all. What suits a database better is set afterwards.
        parameters["client_encoding"] = "SQL_ASCII"
        parameters["fallback_application_name"] = "muster"
        if let user, parameters["passfile"] == nil, getenv("PGPASSFILE") == nil {
            // libpq would look in our own home; the programs, which run as that user, look in the user's.
            parameters["passfile"] = user.home + "/.pgpass"
        }
        var pairs = parameters.options.map { ($0.keyword, $0.value) }
        if let password { pairs.append(("password", password.reveal())) }
        let keywords = pairs.map { UnsafePointer(strdup($0.0)) } + [nil]
        let values = pairs.map { UnsafePointer(strdup($0.1)) } + [nil]
        defer {
            // The password among them, of which libpq has a copy.
            for copy in keywords + values {
                if let copy { explicit_bzero(UnsafeMutablePointer(mutating: copy), strlen(copy)) }
                free(UnsafeMutablePointer(mutating: copy))
            }
        }
        // Not expanded: each value is what it says, also a database called `a=b`.
        guard let handle = PQconnectStartParams(keywords, values, 0) else {
            throw DumpError(.system, "out of memory")
        }
        return Connection(owning: handle)
    }

    /// A pooler gives a client a process number of its own. In its transaction mode, what we set would meet the application's sessions.
    private static func requireServer(
        _ connection: borrowing Connection, _ options: ConnectionOptions, _ stop: StopSign
    ) throws(DumpError) {
        // A database may be serializable and deferrable by default: then a bare question waits for other transactions. Without BEGIN, what is
        // cancelled leaves no transaction open, which the database's time limit for an idle one would end the session for.
        let rows = try insisting { () throws(DumpError) in
            try connection.send(
                "set transaction isolation level read committed; select pg_catalog.pg_backend_pid() as pid")
            return try connection.receive(waiting: Waiting(stop: stop, limit: firstAnswers))
        }
        guard try rows.first?.integer("pid") != Int64(connection.processID) else { return }
        throw DumpError(
            .sourceUnavailable, "the connection leads to a pooler such as PgBouncer, and not to PostgreSQL itself",
            hint:
                "Name the server's own host and port in 'connection:': a pooler mixes Muster's sessions with the application's.",
            context: ["connection": options.shown])
    }

    /// Asks once more what the server has cancelled. Until we have set a time limit, that of the database holds. Its owner may have chosen
    /// one that is over before a busy server has begun.
    private static func insisting<Answer>(_ ask: () throws(DumpError) -> Answer) throws(DumpError) -> Answer {
        for _ in 1..<100 {
            do throws(DumpError) { return try ask() } catch  where error.context["sqlstate"] == "57014" { continue }
        }
        return try ask()
    }

    /// SQL_ASCII holds bytes of any encoding, and PostgreSQL knows no conversion between MULE_INTERNAL and UTF-8.
    private static let unconverted = ["SQL_ASCII", "MULE_INTERNAL"]

    private static func settle(_ connection: borrowing Connection, _ stop: StopSign) throws(DumpError) {
        // By SET, which needs no snapshot. The database's defaults may be serializable, read only and deferrable. Then any question, and so
        // set_config, waits until no other serializable transaction is open.
        // First the time limit that ends the session, and with it what we could ask once more.
        let ends = connection.serverVersion >= 170_000 ? ["transaction_timeout to 0"] : []
        for setting in ends + [
            "statement_timeout to 0", "default_transaction_isolation to 'read committed'",
            "default_transaction_deferrable to off",
        ] {
            _ = try insisting { () throws(DumpError) in
                try connection.query("set \(setting)", [], waiting: Waiting(stop: stop, limit: firstAnswers))
            }
        }
        var settings = [
            "search_path": "pg_catalog", "lock_timeout": "0",
            "idle_in_transaction_session_timeout": "0", "default_transaction_read_only": "on",
        ]
        if !unconverted.contains(connection.serverEncoding) { settings["client_encoding"] = "UTF8" }
        // The server expects much of catalogs that were never analyzed, and then compiles for longer than it looks.
        if connection.serverVersion >= 110_000 { settings["jit"] = "off" }
        if connection.serverVersion >= 140_000 { settings["idle_session_timeout"] = "0" }
        let calls = settings.map { "pg_catalog.set_config('\($0.key)', '\($0.value)', false)" }
        let rows = try connection.query(
            "select pg_catalog.current_setting('role') as role, " + calls.joined(separator: ", "), [],
            waiting: Waiting(stop: stop, limit: firstAnswers))
        guard try rows.first?.text("role") != "none" else { return }
        try leaveRoleOfDatabase(connection, stop)
    }

    /// `ALTER DATABASE … SET role` has each session of the database act as a role that its owner has chosen. What the operator has chosen, in
    /// the connection's options or for our role, comes before it, and stays.
    private static func leaveRoleOfDatabase(_ connection: borrowing Connection, _ stop: StopSign) throws(DumpError) {
        guard !connection.endpoint.namesRole else { return }
        let chosen = try connection.query(
            """
            select 1 from pg_db_role_setting, unnest(setconfig) setting
            where setrole = (select oid from pg_roles where rolname = session_user) and setting like 'role=%'
              and setdatabase in (0, (select oid from pg_database where datname = current_database()))
            """, [], waiting: Waiting(stop: stop, limit: firstAnswers))
        guard chosen.isEmpty else { return }
        _ = try connection.query("set role none", [], waiting: Waiting(stop: stop, limit: firstAnswers))
    }
}
