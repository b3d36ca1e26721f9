import DumpCore
import Linux
import Processes
import Settings
import SystemPackage

/// The socket of a server that runs in a container, as the host sees it: below the root directory of the container's first process.
///
/// Clients connect to it from the host, so that all works as without a container. Several sessions can begin at one instant, programs end
/// on request, and files are written where they belong.
struct ContainerSocket: Sendable {
    let settings: ContainerSettings
    let runner: ProgramRunner

    /// Where the server's packages and images have it.
    private static let usual = "/var/run/postgresql"

    /// The directory of the socket on the host.
    ///
    /// - Parameter directory: as the container sees it; nil for the usual one.
    func directory(_ directory: String?) async throws(DumpError) -> String {
        let directory = directory ?? Self.usual
        guard directory.hasPrefix("/") else {
            throw DumpError(
                .settings, "host=\(directory) is not the directory of a socket in container '\(settings.name)'",
                hint:
                    "Leave out host=, or name the directory of the socket as the container has it. A server that is reached over a network needs no container:."
            )
        }
        let pid = try await firstProcess()
        return try await onOwnThread { () throws(DumpError) in try find(directory, of: pid) }
    }

    private func firstProcess() async throws(DumpError) -> Int32 {
        let outcome: ProgramOutcome
        do throws(ProcessError) {
            var program = Program(
                try Executables.find(settings.engine.rawValue),
                ["inspect", "--format", "{{.State.Pid}}", settings.name])
            program.inheritedPrefixes = Program.engineVariables
            outcome = try await runner.run(program, output: .collect(limit: 1000))
        } catch {
            throw DumpError(error)
        }
        guard outcome.succeeded else {
            throw DumpError(
                .sourceUnavailable,
                "cannot find container '\(settings.name)': \(settings.engine.rawValue) \(outcome.status)",
                hint: "See which there are: \(settings.engine.rawValue) ps --all.",
                context: outcome.lastErrors.isEmpty ? [:] : ["stderr": outcome.lastErrors])
        }
        let text = String(decoding: outcome.output, as: UTF8.self).splitAtASCIISpace().first ?? ""
        guard let pid = Int32(text), pid > 1 else {
            throw DumpError(
                .sourceUnavailable, "container '\(settings.name)' does not run",
                hint: "Start it: \(settings.engine.rawValue) start \(settings.name).", isTransient: true)
        }
        return pid
    }

    /// The container's user could lead a link anywhere on the host: none is followed. `/var/run` is one everywhere.
    private func find(_ directory: String, of pid: Int32) throws(DumpError) -> String {
        let root = FilePath("/proc/\(pid)/root")
        let plain = directory.hasPrefix("/var/run/") ? [String(directory.dropFirst(4)), directory] : [directory]
        do {
            // A link of the kernel's, which leads into the container.
            let opened = OpenDirectory(
                root, openAs: try FileDescriptor.open(root, .readOnly, options: [.directory, .closeOnExec]))
            for candidate in plain
            where (try? opened.status(of: FilePath(String(candidate.dropFirst()))).kind) == .directory {
                return root.string + candidate
            }
        } catch {
            throw DumpError(
                .sourceUnavailable, "cannot look into container '\(settings.name)': \(error)",
                hint: "Run Muster as root.")
        }
        throw DumpError(
            .sourceUnavailable, "container '\(settings.name)' has no directory \(directory), or a link in its place",
            hint: "Name the directory of the server's socket as the container has it: connection: host=/run/postgresql."
        )
    }
}

extension PostgreSQLProvider {
    /// The same, led to the server in its container if it is in one.
    func inContainer(_ options: ConnectionOptions) async throws(DumpError) -> ConnectionOptions {
        guard let container = settings.container else { return options }
        var options = options
        options["host"] = try await ContainerSocket(settings: container, runner: runner).directory(options["host"])
        options["hostaddr"] = nil
        return options
    }
}
