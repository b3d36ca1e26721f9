import DumpCore
import Glibc
import Linux
import Processes

/// A server that something is restored to, and how it is reached.
struct RestoreTarget: Sendable {
    var facts: ServerFacts
    /// For programs.
    var access: ClusterAccess
    var opener: SessionOpener
    /// Whether it is behind a socket of this host.
    var isLocal: Bool

    /// A database that our sessions and programs can be connected to for what concerns the whole server.
    var controlDatabase: String { access.controlDatabase }

    /// A session that reads, as long as `body` runs.
    func reading<Result>(
        in database: String? = nil, _ body: (Session) async throws(DumpError) -> Result
    ) async throws(DumpError) -> Result {
        try await opener.open(named: database ?? controlDatabase).closing(after: body)
    }

    /// A session that may change things, as long as `body` runs. Event triggers do not fire in it.
    @discardableResult
    func changing<Result>(
        in database: String? = nil, _ body: (Session) async throws(DumpError) -> Result
    ) async throws(DumpError) -> Result {
        try await reading(in: database) { session throws(DumpError) in
            try await session.allowChanges(isSuperuser: facts.role.isSuperuser)
            return try await body(session)
        }
    }
}

extension Session {
    /// To a superuser, event triggers and other code of the database do not get in the way.
    func allowChanges(isSuperuser: Bool) async throws(DumpError) {
        try await perform(
            "set default_transaction_read_only to off"
                + (isSuperuser ? "; set session_replication_role to replica; set lc_messages to 'C'" : ""))
    }

    /// Runs one statement that may take long, such as ANALYZE.
    func change(_ statement: String, limit: Duration = .seconds(7 * 86400)) async throws(DumpError) {
        _ = try await query(statement, limit: limit)
    }
}

extension RestoreTarget {
    /// Connects, and refuses poolers.
    ///
    /// - Parameters:
    ///   - databases: to be tried one after the other; none is the one that the connection string names, or `postgres`.
    ///   - place: the server's address, if it is known better than by the connection string.
    static func connect(
        to conninfo: String?, as user: String?, runner: ProgramRunner, databases: [String] = [],
        at place: Session.Endpoint? = nil, for run: RunContext
    ) async throws(DumpError) -> RestoreTarget {
        let way = try RestoreConnection(conninfo, as: user)
        let password = try way.password
        let passfile: Secret? = if let password { try Passfile.text(for: password) } else { nil }
        var options = way.options
        if let place { options.pin(host: place.host, address: place.address, port: place.port) }
        let session = try await connected(options, password, way.user, databases)
        return try await session.closing { session throws(DumpError) in
            let facts = try await ServerFacts.ask(session)
            let pinned = options.pinned(to: session.endpoint, of: run).speaking(to: facts).restoring(on: facts)
            return RestoreTarget(
                facts: facts,
                access: ClusterAccess(
                    options: pinned, controlDatabase: session.endpoint.database, user: way.user, passfile: passfile,
                    runner: runner),
                opener: SessionOpener(options: pinned, password: password, user: way.user),
                isLocal: session.endpoint.host.hasPrefix("/"))
        }
    }

    private static func connected(
        _ options: ConnectionOptions, _ password: Secret?, _ user: UserAccount?, _ databases: [String]
    ) async throws(DumpError) -> Session {
        guard let last = databases.last else {
            return try await Session.connect(options, password: password, as: user)
        }
        var options = options
        for database in databases.dropLast() {
            options["dbname"] = database
            // The last one's error says what is wrong with the server.
            if let session = try? await Session.connect(options, password: password, as: user) { return session }
        }
        options["dbname"] = last
        return try await Session.connect(options, password: password, as: user)
    }
}

extension ConnectionOptions {
    /// For sessions and programs that restore. Their work is on disk with the transaction that gives it its name.
    fileprivate func restoring(on facts: ServerFacts) -> ConnectionOptions {
        var restoring = self
        let idle = facts.major >= 14 ? " -c idle_session_timeout=0" : ""
        restoring["options"] =
            "\(self["options"] ?? "") -c default_transaction_read_only=off -c synchronous_commit=off\(idle)".trimmed
        return restoring
    }
}
