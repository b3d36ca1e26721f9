import DumpCore
import Linux
import Processes
import SystemPackage

/// How the client programs reach the cluster: the very server, role and database that our own session is connected to.
struct ClusterAccess: Sendable {
    /// Without a database.
    var options: ConnectionOptions
    /// The database of our session, for what concerns the whole cluster.
    var controlDatabase: String
    var user: UserAccount?
    var passfile: Secret?
    var runner: ProgramRunner

    init(
        options: ConnectionOptions, controlDatabase: String, user: UserAccount?, passfile: Secret?,
        runner: ProgramRunner
    ) {
        self.options = options
        // One that is named in the connection string would win over the one that is handed on.
        if passfile != nil { self.options["passfile"] = nil }
        self.controlDatabase = controlDatabase
        self.user = user
        self.passfile = passfile
        self.runner = runner
    }

    /// A connection string that names a database. The name may be anything: it is never read as a connection string itself.
    func conninfo(database: String) -> String {
        var options = options
        options["dbname"] = database
        return options.conninfo
    }

    /// The same access under another name in `pg_stat_activity`.
    func named(_ applicationName: String) -> ClusterAccess {
        var named = self
        named.options["application_name"] = applicationName
        return named
    }

    /// Variables that libpq and what it is linked with go by, such as `KRB5CCNAME`: our own sessions have them too.
    static let inheritedVariables = ["PG", "KRB5", "GSS_", "LD_LIBRARY_PATH", "OPENSSL_CONF", "SSL_CERT_"]

    /// A program that finds `directory` at `Program.directoryPath`.
    func program(_ path: FilePath, _ arguments: [String], directory: FilePath? = nil) -> Program {
        Program(
            path, arguments,
            // Empty is unset to libpq. A dump is in the encoding of its database, whatever a terminal is set to.
            environment: ["PGCLIENTENCODING": ""], inheritedPrefixes: Self.inheritedVariables, user: user?.name,
            directory: directory,
            secrets: passfile.map { [.file(namedBy: "PGPASSFILE", $0)] } ?? [])
    }

    func run(
        _ program: Program, output: ProgramOutput = .discard,
        onErrorLine: @escaping @Sendable (String) -> Void = { _ in }
    ) async throws(DumpError) -> ProgramOutcome {
        do {
            return try await runner.run(program, output: output, onErrorLine: onErrorLine)
        } catch {
            throw DumpError(error)
        }
    }
}

extension ConnectionOptions {
    /// Settings for programs, so that several hosts, a service or an environment do not lead them anywhere else than us.
    func pinned(to endpoint: Session.Endpoint, of run: RunContext) -> ConnectionOptions {
        var pinned = self
        pinned["dbname"] = nil
        pinned["client_encoding"] = nil
        pinned.pin(host: endpoint.host, address: endpoint.address, port: endpoint.port)
        pinned["user"] = endpoint.user
        if !endpoint.options.isEmpty { pinned["options"] = endpoint.options }
        if pinned["application_name"] == nil { pinned["application_name"] = "muster \(run.runID)" }
        if pinned["connect_timeout"] == nil, pinned["service"] == nil {
            pinned["connect_timeout"] = String(Session.defaultConnectTimeout)
        }
        return pinned
    }

    /// The same with settings for a server whose remarks are read by a program: all warnings, and in English where the role may say so. Also
    /// with what sessions and programs rely on.
    func speaking(to server: ServerFacts) -> ConnectionOptions {
        var speaking = self
        let language = server.role.maySetLanguage ? " -c lc_messages=C" : ""
        // A database's owner may set these for each session in it. pg_dump asks before it begins its transaction, and pg_dumpall writes dates.
        var own = [
            "role": server.role.assumed, "default_transaction_isolation": "read committed",
            "default_transaction_deferrable": "off", "datestyle": "ISO", "statement_timeout": "0", "lock_timeout": "0",
        ]
        // The server ends a session for it, also one that has only begun.
        if server.major >= 17 { own["transaction_timeout"] = "0" }
        let settings = own.sorted { $0.key < $1.key }.map { " -c \($0.key)=\($0.value.marking("\\", " ", with: "\\"))" }
        speaking["options"] =
            "\(self["options"] ?? "") -c client_min_messages=warning\(language)\(settings.joined())".trimmed
        return speaking
    }

    mutating func pin(host: String, address: String, port: String) {
        self["host"] = host
        // An address beside a socket's directory would win over it.
        self["hostaddr"] = host.hasPrefix("/") || address.isEmpty ? nil : address
        self["port"] = port
    }

    /// For the sessions that hold snapshots, told apart in `pg_stat_activity`.
    var forSnapshots: ConnectionOptions {
        var options = self
        if let name = options["application_name"] { options["application_name"] = name + " snapshot" }
        return options
    }

    /// For those that watch tables beside them.
    var forTables: ConnectionOptions {
        var options = self
        if let name = options["application_name"] {
            options["application_name"] = name.replacing(" snapshot", with: "") + " tables"
        }
        return options
    }
}
