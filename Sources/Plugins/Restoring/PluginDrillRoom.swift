import DumpCore
import Glibc
import Linux
import Processes
import SystemPackage

/// Where a plugin restores a dump that is thrown away: a directory with a copy of the dump and of the plugin. An isolated plugin sees
/// nothing else of this host but the system's own directories.
struct PluginDrillRoom: Sendable {
    let path: FilePath
    /// The plugin's, relative to `path`.
    let program: FilePath
    let identity: DrillIdentity

    var findings: [Finding] { identity.findings }

    /// As the program finds it.
    var insidePath: String { (identity.isolation == nil ? path : Isolation.roomPath).string }

    /// - Parameter directory: the dump, which stays as it is.
    static func make(
        in room: FilePath, holding directory: FilePath, for plugin: Plugin, _ drill: DrillRequest,
        runner: ProgramRunner
    ) async throws(DumpError) -> PluginDrillRoom {
        let path = room.appending("room")
        let plugins = path.appending("plugins")
        do {
            try FileSystem.createDirectory(path)
            try FileSystem.createDirectory(plugins)
        } catch { throw cannot("create", path, error) }
        var nothing = try await copy(directory, to: path.appending("dump"), by: runner)
        // The program sees no directory of plugins but those that are the system's.
        for part in plugin.parts {
            nothing = try await copy(part, to: plugins.appending(part.lastComponent!.string), by: runner)
        }
        let identity = try await DrillIdentity.choose(
            drill.user, probing: (nothing, []), in: path, runner: runner)
        let made = PluginDrillRoom(
            path: path, program: FilePath("plugins/\(plugin.name)/\(plugin.name)"), identity: identity)
        try await made.give()
        // An account that is not isolated must find its way.
        if identity.user != nil { chmod(room.string, 0o711) }
        return made
    }

    /// Returns a program that does nothing.
    private static func copy(
        _ directory: FilePath, to target: FilePath, by runner: ProgramRunner
    ) async throws(DumpError) -> FilePath {
        do throws(ProcessError) {
            let program = Program(
                try Executables.find("cp"), ["-r", "--reflink=auto", "--", directory.string, target.string])
            let copy = try await runner.run(program)
            guard copy.succeeded else {
                throw ProcessError(
                    .cannotRun, "cannot copy the dump for the drill: cp \(copy.status)",
                    hint: "Give the drill more room with --work.", context: ["stderr": copy.lastErrors])
            }
            return try Executables.find("true")
        } catch {
            throw DumpError(error)
        }
    }

    /// Gives all of it to who works in it.
    private func give() async throws(DumpError) {
        let account = identity.user.flatMap { UserAccount(named: $0) }
        guard let owner = identity.isolation.map({ ($0.user, $0.user) }) ?? account.map({ ($0.uid, $0.gid) }) else {
            return
        }
        let path = path
        try await onOwnThread { () throws(DumpError) in
            do {
                let entries = try FileTree(path).entries().map { path.pushing($0.path) } + [path]
                for entry in entries {
                    guard entry.withPlatformString({ lchown($0, owner.0, owner.1) }) == 0 else {
                        throw Errno(rawValue: errno)
                    }
                }
            } catch {
                throw Self.cannot("give away", path, error)
            }
        }
    }

    func remove() async throws(DumpError) {
        let path = path
        try await onOwnThread { () throws(DumpError) in
            do { try FileTree(path).remove() } catch { throw Self.cannot("remove", path, error) }
        }
    }

    private static func cannot(_ what: String, _ path: FilePath, _ error: any Error) -> DumpError {
        DumpError(.system, "cannot \(what) \(path): \(error)")
    }
}
