import DumpCore
import SystemPackage

extension Client {
    /// The client to dump a server of version `server` with: the newest that is not older than it, by major version.
    static func chosen(
        from clients: [Client], for server: ServerFacts, binDirectory: FilePath?
    ) throws(DumpError) -> Client {
        // Of equals, max(by:) takes the first; they are in order of preference.
        guard let newest = clients.max(by: { $0.version < $1.version }) else {
            throw missing(for: server, binDirectory)
        }
        guard newest.version.major >= server.major else { throw tooOld(newest, for: server, binDirectory) }
        return newest
    }

    /// What to say of a client before it is relied on.
    var findings: [Finding] {
        guard version.major > Self.newestKnownMajor else { return [] }
        return [
            Finding(
                .warning, "client_newer_than_known", object: path(of: .pgDump).string,
                "pg_dump \(version) is newer than any that this Muster was tried with (\(Self.newestKnownMajor))",
                hint: "Should its dumps be refused, update Muster, or set bin_directory to an older client.")
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
