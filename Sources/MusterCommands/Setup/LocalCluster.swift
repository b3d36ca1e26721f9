import DumpCore
import Glibc
import Linux
import SystemPackage

/// A PostgreSQL server that listens at a socket of this host.
struct LocalCluster: Sendable, Hashable {
    var directory: FilePath
    var port: Int
    /// Who runs it, and may connect as its superuser where the server asks no more than who comes (`peer`).
    var owner: String

    /// Of its dump: `postgresql`, or with its port where that is another than usual.
    var dumpName: String { port == Self.usualPort ? "postgresql" : "postgresql-\(port)" }

    var connection: String { "host=\(directory) port=\(port)" }

    static let usualPort = 5432

    /// Where packages of PostgreSQL have their sockets, and where its source has them.
    static let places: [FilePath] = ["/run/postgresql", "/var/run/postgresql", "/tmp"]

    /// Those whose sockets are there, the lowest port first. A server that died may have left one: the check says whether it answers.
    static func found(in places: [FilePath] = places) -> [LocalCluster] {
        var seen: Set<String> = []
        return places.flatMap { place -> [LocalCluster] in
            guard let identity = try? FileSystem.identity(at: place), seen.insert(identity).inserted else { return [] }
            return ((try? FileSystem.names(in: place)) ?? []).compactMap { LocalCluster(socket: $0, in: place) }
        }.sorted { ($0.port, $0.directory.string) < ($1.port, $1.directory.string) }
    }

    private init?(socket name: FilePath.Component, in directory: FilePath) {
        let prefix = ".s.PGSQL."
        guard name.string.hasPrefix(prefix), let port = Int(name.string.dropFirst(prefix.count)),
            let status = try? FileSystem.status(of: directory.appending(name)), status.kind == .socket,
            let owner = UserAccount(id: status.uid)
        else { return nil }
        self.init(directory: directory, port: port, owner: owner.name)
    }

    init(directory: FilePath, port: Int, owner: String) {
        (self.directory, self.port, self.owner) = (directory, port, owner)
    }
}
