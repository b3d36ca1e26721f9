import CKeeper
import CLinux
import Glibc
import SystemPackage

/// The program `muster-keeper`, under which every other program is started. `Sources/muster-keeper/main.c` says what it does.
public enum Keeper {
    static let name = "muster-keeper"

    /// The keeper that was installed together with the running executable: it is beside it.
    public static func installed() throws(ProcessError) -> FilePath {
        try requireKernel()
        guard let path = realpath("/proc/self/exe", nil) else {
            throw ProcessError(
                .cannotRun, "cannot find out where muster is installed: /proc/self/exe: \(Errno(rawValue: errno))",
                hint: "Mount /proc: muster finds its own programs, mounts and processes there.")
        }
        defer { free(path) }
        let ourselves = FilePath(platformString: path)
        let directory = ourselves.removingLastComponent()
        let keeper = directory.appending(name)
        guard access(keeper.string, X_OK) == 0 else {
            throw ProcessError(
                .programNotFound, "\(name) is not in \(directory), where muster is",
                hint: "Install both of them into one directory: muster runs every program under it.",
                context: ["path": keeper.string])
        }
        return keeper
    }

    /// Keeper and program are waited for by descriptors of processes.
    private static func requireKernel() throws(ProcessError) {
        let descriptor = clinux_pidfd_open(getpid())
        guard descriptor < 0 else {
            close(descriptor)
            return
        }
        throw ProcessError(
            .cannotRun, "cannot watch over programs: pidfd_open: \(Errno(rawValue: -descriptor))",
            hint: "Muster needs Linux 5.3 or newer, and in a container a seccomp profile that allows pidfd_open.")
    }

    static func arguments(for program: Program) -> [String] {
        var arguments: [String] = []
        if let isolation = program.isolation {
            arguments += [KEEPER_ISOLATE, isolation.room.string, String(isolation.user)]
        } else if let user = program.user {
            arguments += [KEEPER_AS, user]
        }
        if let directory = program.directory {
            arguments += [program.entersDirectory ? KEEPER_WITHIN : KEEPER_DIRECTORY, directory.string]
        }
        for secret in program.secrets { arguments += [KEEPER_SECRET, secret.form.option, secret.variable] }
        if program.endsAlone { arguments += [KEEPER_ALONE, "yes"] }
        arguments += [KEEPER_PARENT, String(getpid())]
        arguments += [KEEPER_GRACE, String(program.grace.components.seconds * 1000)]
        return arguments + ["--", program.executable.string] + program.arguments
    }
}

extension HandedSecret.Form {
    fileprivate var option: String {
        switch self {
        case .path: KEEPER_SECRET_AS_PATH
        case .descriptor: KEEPER_SECRET_AS_DESCRIPTOR
        }
    }
}
