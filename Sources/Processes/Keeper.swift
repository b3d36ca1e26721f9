import CLinux
import Glibc

/// The hidden command `muster __exec`: how every program is started, see `keeper.c`.
///
/// Its arguments are written and read here only: options `--as USER`, `--directory PATH`, `--secret path|descriptor VARIABLE`,
/// then `--parent PID`, `--grace MILLISECONDS`, `--`, and the program with its arguments.
public enum Keeper {
    public static let command = "__exec"

    static func arguments(for program: Program) -> [String] {
        var arguments = [command]
        if let user = program.user { arguments += ["--as", user] }
        if let directory = program.directory { arguments += ["--directory", directory.string] }
        if let secret = program.secret { arguments += ["--secret", secret.form.rawValue, secret.variable] }
        arguments += ["--parent", String(getpid())]
        arguments += ["--grace", String(program.grace.components.seconds * 1000)]
        return arguments + ["--", program.executable.string] + program.arguments
    }

    /// Acts as the keeper if `arguments` (those after our own name) ask for it, and ends the process with the program's status.
    ///
    /// Call it first thing in `main`: the process must still have a single thread.
    public static func takeOverIfAsked(_ arguments: [String]) {
        guard arguments.first == command else { return }
        var rest = arguments.dropFirst()
        var user: String?
        var directory: String?
        var secretVariable: String?
        var secretAsPath = false
        var parent: pid_t = 0
        var grace: Int32 = 0
        while let option = rest.popFirst(), option != "--" {
            switch option {
            case "--as": user = rest.popFirst()
            case "--directory": directory = rest.popFirst()
            case "--secret":
                secretAsPath = rest.popFirst() == HandedSecret.Form.path.rawValue
                secretVariable = rest.popFirst()
            case "--parent": parent = rest.popFirst().flatMap { pid_t($0) } ?? 0
            case "--grace": grace = rest.popFirst().flatMap { Int32($0) } ?? 0
            default: exit(64)
            }
        }
        guard !rest.isEmpty else { exit(64) }

        // Nothing of this is freed: the process ends with the program.
        var argv = rest.map { strdup($0) } + [nil]
        let status = argv.withUnsafeMutableBufferPointer { argv in
            var program = clinux_program(
                path: argv[0], arguments: argv.baseAddress, user: user.map { strdup($0) },
                directory: directory.map { strdup($0) }, secret_variable: secretVariable.map { strdup($0) },
                secret_as_path: secretAsPath, parent: parent, grace_milliseconds: grace)
            return clinux_keep(&program)
        }
        exit(status)
    }
}
