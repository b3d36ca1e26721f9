import DumpCore
import Glibc
import Linux

/// How an operator wants to reach a server: a connection string, the user to be, and a password that libpq would find.
struct RestoreConnection: Sendable {
    private(set) var options: ConnectionOptions
    /// Nil for our own.
    private(set) var user: UserAccount?
    private let ofService: Secret?

    /// Who servers of packages let in through their socket.
    static let usualUser = "postgres"

    /// - Parameters:
    ///   - conninfo: nil for the local server's socket.
    ///   - user: nil for `postgres` at a socket if we are root, else our own.
    init(_ conninfo: String?, as user: String?) throws(DumpError) {
        options = try Self.parsed(conninfo ?? "")
        let isLocal = options.leadsToSocket
        self.user = try Self.account(user, isLocal: isLocal)
        var service: ServiceFile?
        if let name = options["service"], getenv("PGSERVICEFILE") == nil {
            let ours = getenv("HOME").map { String(cString: $0) } ?? UserAccount.current?.home
            service = try ServiceFile.find(name, in: [self.user?.home, ours].compactMap { $0 })
        }
        ofService = service?.password
        if let service { options = options.resolving(service) }
        let isNamed = options["dbname"] != nil || options["service"] != nil || getenv("PGDATABASE") != nil
        if !isNamed { options["dbname"] = "postgres" }
    }

    /// What libpq would take from the environment or the service file. Programs get it by a file in memory.
    var password: Secret? {
        get throws(DumpError) { getenv("PGPASSWORD").map { Secret(String(cString: $0)) } ?? ofService }
    }

    private static func parsed(_ conninfo: String) throws(DumpError) -> ConnectionOptions {
        do {
            return try ConnectionOptions(parsing: conninfo)
        } catch {
            guard error.hint?.contains("password:") == true else { throw error }
            throw DumpError(
                .settings, "the connection string holds a password, which every user of this host could read",
                hint: "Leave it out, and put it into ~/.pgpass of the connecting user or into PGPASSWORD.")
        }
    }

    private static func account(_ name: String?, isLocal: Bool) throws(DumpError) -> UserAccount? {
        guard let name else {
            // Without that user, the server belongs to another one, whom libpq's message names.
            return isLocal && UserAccount.currentIsRoot ? UserAccount(named: usualUser) : nil
        }
        guard let account = UserAccount(named: name) else {
            throw DumpError(
                .settings, "there is no user '\(name)' on this host",
                hint: "Name the system user that the server's role belongs to, usually postgres.")
        }
        guard UserAccount.currentIsRoot || account.uid == geteuid() else {
            throw DumpError(
                .settings, "only root can connect as user '\(name)', and Muster runs as another user",
                hint: "Run Muster as root or as '\(name)'.")
        }
        return account
    }
}

extension ConnectionOptions {
    /// Whether libpq would connect to a socket of this host, as far as the string and the environment tell.
    fileprivate var leadsToSocket: Bool {
        guard self["hostaddr"] == nil, self["service"] == nil, getenv("PGHOSTADDR") == nil else { return false }
        let host = self["host"] ?? getenv("PGHOST").map { String(cString: $0) } ?? ""
        return host.isEmpty || host.hasPrefix("/") || host.hasPrefix("@")
    }
}
