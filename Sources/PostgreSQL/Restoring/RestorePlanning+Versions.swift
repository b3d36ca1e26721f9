import DumpCore
import Processes

extension RestorePlanning {
    /// The programs to restore with, and findings about them.
    ///
    /// A pg_restore that is older than the pg_dump does not read its archive. One that is newer than the server may set what the server
    /// does not know. So the best is the newest that is not newer than the server, else the oldest that can read the archive.
    func client() async throws(DumpError) -> (client: Client?, findings: [Finding]) {
        let installed = try await Client.installed(
            in: restorer.binDirectory, runner: restorer.runner, as: target.access.user?.name)
        let dumpedWith = dump.dumpingMajor ?? 0
        let able = installed.filter { $0.version.major >= dumpedWith }
        let fitting = able.filter { $0.version.major <= target.facts.major }.max { $0.version < $1.version }
        if let fitting { return (fitting, []) }
        guard let newer = able.min(by: { $0.version < $1.version }) else {
            let found = installed.map(\.version).max().map { "the newest installed is \($0)" } ?? "none is installed"
            return (
                nil,
                [
                    Finding(
                        .failure, "pg_restore_unsuitable", object: "pg_restore",
                        "the dump needs pg_restore \(dumpedWith) or newer, and \(found)",
                        hint: "Install the client programs of PostgreSQL \(dumpedWith) or newer "
                            + "(Debian: postgresql-client-\(dumpedWith)).")
                ]
            )
        }
        return (
            newer,
            [
                Finding(
                    .warning, "pg_restore_newer_than_server", object: newer.path(of: .pgRestore).string,
                    "pg_restore \(newer.version) is newer than the server's \(target.facts.version), which may not know all that it sets",
                    hint: "If the restore fails, restore to PostgreSQL \(newer.version.major).")
            ]
        )
    }

    /// The client's, and whether the server is too old.
    func versions(_ client: (client: Client?, findings: [Finding])) -> [Finding] {
        guard let dumped = dump.dumpedMajor, dumped > target.facts.major else {
            return client.findings
        }
        let version = dump.identity["server_version"] ?? ""
        return [
            Finding(
                .failure, "restore_server_too_old", object: target.facts.version,
                "the dump is of PostgreSQL \(version), and the server is \(target.facts.version)",
                hint: "Restore it to PostgreSQL \(dumped) or newer.")
        ] + client.findings
    }
}
