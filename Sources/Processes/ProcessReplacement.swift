import Glibc
import Linux
import SystemPackage

/// A program that takes the place of our own process: for an operator who wants to speak with it.
///
/// Terminal, standard input, output and errors, working directory and process id are ours, and so is the environment. Its status is what
/// our parent gets. It is not supervised.
public struct ProcessReplacement: Sendable {
    public var executable: FilePath
    public var arguments: [String]
    /// Over our own environment.
    public var environment: [String: String]
    /// Our variables that are not handed on.
    public var withheld: Set<String> = []
    public var secret: HandedSecret?

    public init(_ executable: FilePath, _ arguments: [String], environment: [String: String] = [:]) {
        self.executable = executable
        self.arguments = arguments
        self.environment = environment
    }

    /// Becomes the program. Returns only by throwing.
    public func perform() throws(ProcessError) -> Never {
        var variables = ChildEnvironment.ours.filter { !withheld.contains($0.key) }.merging(environment) { $1 }
        do {
            if let secret {
                var bytes = secret.text.withBytes { Array($0) }
                defer { bytes.wipe() }
                let file = try FileDescriptor.memoryFile(holding: bytes)
                variables[secret.variable] =
                    secret.form == .path ? "/proc/self/fd/\(file.rawValue)" : "\(file.rawValue)"
            }
        } catch {
            throw ProcessError(.cannotRun, "cannot hand its secret to \(executable): \(error)", underlying: error)
        }
        giveBackSignals()
        let failure = withCStrings([executable.string] + arguments) { words in
            withCStrings(variables.asEnvironment) { variables in
                execve(executable.string, words, variables)
                return Errno(rawValue: errno)
            }
        }
        throw ProcessError(.cannotRun, "cannot run \(executable): \(failure)")
    }

    /// Handlers go by themselves; what is ignored or blocked would stay so.
    private func giveBackSignals() {
        _ = signal(SIGPIPE, SIG_DFL)
        var none = sigset_t()
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, nil)
    }
}

extension ProcessReplacement {
    /// Becomes a command of the operator's, which finds all as it would without us, see `StartingConditions`. It has our environment, our
    /// directory, and our descriptors except those that are closed on exec.
    ///
    /// Returns only if the program cannot be started; the process can then do no more than say so and end.
    ///
    /// - Parameter command: the program, looked for as `execvp(3)` does, and its arguments. Not empty.
    public static func become(_ command: [String]) -> Errno {
        withCStrings(command) { words in
            StartingConditions.restore()
            execvp(command[0], words)
            return Errno(rawValue: errno)
        }
    }
}
