import DumpCore
import Glibc
import Linux
import Processes
import SystemPackage

/// A server that a dump is restored to and that is thrown away, with what it holds, afterwards.
struct DrillServer: Sendable {
    let server: ScratchServer
    let settings: DrillSettings
    /// What the operator should know of it.
    let findings: [Finding]
    /// The name of its superuser, as the dumped server's bootstrap role is called.
    let superuser: String

    var isIsolated: Bool { server.isolation != nil }

    /// Prepares one in `room`, which is empty. Nothing runs yet, and after a throw nothing is there.
    ///
    /// - Parameter run: after which databases are called while they are filled.
    static func prepare(
        for dump: Manifest.DumpRecord, _ drill: DrillRequest, in room: FilePath, run: RunID? = nil,
        runner: ProgramRunner
    ) async throws(DumpError) -> DrillServer {
        let programs = try await ServerPrograms.find(forDrillOf: dump, runner: runner)
        let directory = room.appending("pg")
        do { try FileSystem.createDirectory(directory) } catch { throw DumpError(creating: directory, error) }
        do throws(DumpError) {
            let identity = try await DrillIdentity.choose(
                drill.user, probing: (programs.path(of: "postgres"), ["--version"]), in: directory, runner: runner)
            // An account that is not isolated must find its way.
            if identity.user != nil { chmod(room.string, 0o711) }
            let server = try ScratchServer(
                in: directory, programs: programs, user: identity.user, isolation: identity.isolation, runner: runner)
            let settings = DrillSettings(dump: dump, drill: drill, major: programs.major ?? 0, run: run)
            return DrillServer(
                server: server, settings: settings, findings: identity.findings + settings.findings,
                superuser: dump.cluster?.bootstrapRole ?? "postgres")
        } catch {
            // It is empty. What is wrong says more.
            try? FileSystem.removeEmptyDirectory(directory)
            throw error
        }
    }

    /// Runs it for as long as `body` runs, which is given up when the copy takes more than the drill's limit. The server has ended and its
    /// files are gone when this returns, whatever came of it, unless the drill keeps them.
    func whileRunning<Success: Sendable>(
        _ body: @escaping @Sendable () async throws(DumpError) -> Success
    ) async throws(DumpError) -> Success {
        let outcome = await Result.awaiting { () async throws(DumpError) in
            guard let limit = settings.drill.byteLimit else { return try await started(body) }
            return try await SizeWatch(directory: server.directory, limit: limit).watching { () throws(DumpError) in
                try await started(body)
            }
        }
        // A task of its own: it is not cancelled when ours is.
        let ending = await Task { await Result.awaiting { () async throws(DumpError) in try await end() } }.value
        if settings.drill.keepsCopy, case .failure(var error) = outcome {
            error.context["copy"] = server.directory.string
            throw error
        }
        let success = try outcome.get()
        try ending.get()
        return success
    }

    private func started<Success: Sendable>(
        _ body: @Sendable () async throws(DumpError) -> Success
    ) async throws(DumpError) -> Success {
        try await server.createCluster(settings.arguments, superuser: superuser, trustsClients: true)
        try server.configure(settings.lines)
        try await server.start()
        try await createTablespaces()
        return try await body()
    }

    private func end() async throws(DumpError) {
        let keeps = settings.drill.keepsCopy
        try await server.stop(keeps ? .fast : .immediate)
        guard !keeps else { return }
        do { try FileTree(server.directory).remove() } catch { throw DumpError(removing: server.directory, error) }
    }
}

extension DrillServer {
    /// For programs and sessions from outside. Only root and the server's user get through to the socket.
    var options: ConnectionOptions {
        get throws(DumpError) {
            var options = try ConnectionOptions(parsing: "")
            options["host"] = server.directory.string
            options["port"] = "5432"
            options["user"] = superuser
            return options
        }
    }

    /// A session in a database, as the superuser, that reads only.
    func session<Success>(
        in database: String, _ body: (Session) async throws(DumpError) -> Success
    ) async throws(DumpError) -> Success {
        var options = try options
        options["dbname"] = database
        return try await Session.connect(options, password: nil, as: nil).closing(after: body)
    }

    /// With the names of the dumped server's, in directories of its own: their places belong to the live server.
    private func createTablespaces() async throws(DumpError) {
        let names = settings.dump.cluster?.tablespaces.map(\.name) ?? []
        guard !names.isEmpty else { return }
        try await makeDirectories(["tablespaces"] + names.indices.map { "tablespaces/\($0)" })
        try await session(in: "template1") { session throws(DumpError) in
            _ = try await session.query("set default_transaction_read_only to off")
            for (number, name) in names.enumerated() {
                _ = try await session.query(
                    "create tablespace \"\(name.marking("\"", with: "\""))\" location '\(server.ownDirectory)/tablespaces/\(number)'"
                )
            }
        }
    }

    private func makeDirectories(_ paths: [String]) async throws(DumpError) {
        let owner = try? FileSystem.status(of: server.data)
        for path in paths {
            let directory = server.directory.pushing(FilePath(path))
            do { try FileSystem.createDirectory(directory) } catch { throw DumpError(creating: directory, error) }
            guard let owner, chown(directory.string, owner.uid, owner.gid) == 0 else {
                throw DumpError(.system, "cannot give \(directory) to the drill's server")
            }
        }
    }
}
