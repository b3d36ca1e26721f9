import DumpCore
import SystemPackage

extension Client {
    /// The client to dump a server of version `server` with: of the server's own major version, else of the next newer one.
    ///
    /// pg_dump writes what its own major version restores: an older server refuses settings, and pg_restore archive versions, that
    /// it does not know.
    static func chosen(
        from clients: [Client], for server: ServerFacts, binDirectory: FilePath?
    ) throws(DumpError) -> Client {
        guard let newest = clients.max(by: { $0.version < $1.version }) else {
            throw missing(for: server, binDirectory)
        }
        guard let major = clients.map(\.version.major).filter({ $0 >= server.major }).min() else {
            throw tooOld(newest, for: server, binDirectory)
        }
        // max(by:) takes the first of equals; they are in order of preference.
        return clients.filter { $0.version.major == major }.max { $0.version < $1.version } ?? newest
    }

    /// What to say of a client before a server is dumped with it.
    func findings(for server: ServerFacts, binDirectory: FilePath?) -> [Finding] {
        findingOfFuture + findingOfNewer(than: server, binDirectory)
    }

    private func findingOfNewer(than server: ServerFacts, _ binDirectory: FilePath?) -> [Finding] {
        guard version.major > server.major else { return [] }
        return [
            Finding(
                .warning, "client_newer_than_server", object: path(of: .pgDump).string,
                "pg_dump \(version) is newer than the server's \(server.version): "
                    + "PostgreSQL \(server.major) may not restore what it writes",
                hint:
                    "Install the client programs of PostgreSQL \(server.major) (Debian: postgresql-client-\(server.major))"
                    + (binDirectory == nil ? "." : ", and name them with bin_directory."))
        ]
    }

    private var findingOfFuture: [Finding] {
        guard version.major > Self.newestKnownMajor else { return [] }
        return [
            Finding(
                .warning, "client_newer_than_known", object: path(of: .pgDump).string,
                "pg_dump \(version) is newer than any that this Muster was tested with (\(Self.newestKnownMajor))",
                hint: "If its dumps are refused, update Muster, or set bin_directory to an older client.")
        ]
    }

    private static func missing(for server: ServerFacts, _ binDirectory: FilePath?) -> DumpError {
        let place = binDirectory.map { "in \($0)" } ?? "in /usr/lib/postgresql, /usr/pgsql-* or PATH"
        return DumpError(
            .programUnsuitable, "no pg_dump, pg_dumpall and pg_restore together \(place)",
            hint: installHint(server), context: ["server": server.version])
    }

    private static func tooOld(_ client: Client, for server: ServerFacts, _ binDirectory: FilePath?) -> DumpError {
        DumpError(
            .programUnsuitable,
            "\(client.path(of: .pgDump)) is version \(client.version), too old for the server's \(server.version)",
            hint: installHint(server) + (binDirectory == nil ? "" : " Or remove bin_directory."),
            context: ["client": client.version.description, "server": server.version])
    }

    private static func installHint(_ server: ServerFacts) -> String {
        "Install the client programs of PostgreSQL \(server.major) or newer (Debian: postgresql-client-\(server.major))."
    }
}
