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

    /// The name of its dump: `postgresql`, with the port where that is not the usual one.
    var dumpName: String { port == Self.usualPort ? "postgresql" : "postgresql-\(port)" }

    var connection: String { "host=\(directory) port=\(port)" }

    static let usualPort = 5432

    /// Where packages of PostgreSQL have their sockets, and where its source has them.
    static let places: [FilePath] = ["/run/postgresql", "/var/run/postgresql", "/tmp"]

    /// Those whose sockets are there, the lowest port first. A server that died may have left one: the check says whether it answers.
    ///
    /// Where several sockets have one port, the first place has the server's own: it listens at all of them. In a directory that every user
    /// may write to, only our own user's servers count. Otherwise root would run programs as any user who made a socket there.
    static func found(in places: [FilePath] = places) -> [LocalCluster] {
        var ports: Set<Int> = []
        return places.flatMap { place in
            ((try? FileSystem.names(in: place)) ?? []).compactMap { LocalCluster(socket: $0, in: place) }
        }.filter { ports.insert($0.port).inserted }.sorted { $0.port < $1.port }
    }

    private init?(socket name: FilePath.Component, in directory: FilePath) {
        let prefix = ".s.PGSQL."
        let number = String(name.string.dropFirst(prefix.count))
        guard name.string.hasPrefix(prefix), let port = Int(number), String(port) == number, (1...65535).contains(port),
            let status = try? FileSystem.status(of: directory.appending(name)), status.kind == .socket,
            let place = try? FileSystem.status(of: directory.appending(".")),
            place.mode & UInt32(S_IWOTH) == 0 || status.uid == geteuid(), let owner = UserAccount(id: status.uid)
        else { return nil }
        self.init(directory: directory, port: port, owner: owner.name)
    }

    init(directory: FilePath, port: Int, owner: String) {
        (self.directory, self.port, self.owner) = (directory, port, owner)
    }
}
