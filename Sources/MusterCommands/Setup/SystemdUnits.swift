import DumpCore
import Glibc
import Linux
import Processes
import SystemPackage

/// systemd on this host: the units that are installed, and those that an administrator adds.
enum SystemdUnits {
    /// Where an administrator's units and drop-ins are.
    static let ownDirectory: FilePath = "/etc/systemd/system"
    private static let directories: [FilePath] = [
        ownDirectory, "/run/systemd/system", "/usr/local/lib/systemd/system", "/usr/lib/systemd/system",
        "/lib/systemd/system",
    ]

    /// As sd_booted(3).
    static var isManagerThere: Bool { (try? FileSystem.status(of: "/run/systemd/system"))?.kind == .directory }

    static func isInstalled(_ unit: String) -> Bool {
        directories.contains { access($0.appending(unit).string, F_OK) == 0 }
    }

    /// A drop-in that came with Muster, to be copied for a job that needs it.
    static func shipped(_ name: String) throws -> String {
        let places = ["/usr/local/share/muster/systemd", "/usr/share/muster/systemd"].map {
            FilePath($0).appending(name)
        }
        guard let place = places.first(where: { access($0.string, R_OK) == 0 }) else {
            throw SetupError(
                "cannot find \(name) in \(places[0].removingLastComponent()) or \(places[1].removingLastComponent())",
                hint: "make install places it there, and so does the package.")
        }
        return String(decoding: try FileSystem.bytes(of: place), as: UTF8.self)
    }

    static func systemctl(_ arguments: String...) async throws {
        let runner = ProgramRunner(keeper: try Keeper.installed(), log: OutputOptions.logger(.warning))
        let outcome = try await runner.run(Program(Executables.find("systemctl"), arguments))
        guard outcome.succeeded else {
            throw SetupError("systemctl \(arguments.joined(separator: " ")) failed: \(outcome.lastErrors)")
        }
    }
}
