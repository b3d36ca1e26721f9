import Glibc
import Linux
import SystemPackage

/// A program that takes the place of our own process: for an operator who wants to speak with it.
///
/// Terminal, standard input, output and errors, working directory and process id are ours, and so is the environment. Its status is what
/// whoever started us gets. Nobody watches over it.
public struct ProcessReplacement: Sendable {
    public var executable: FilePath
    public var arguments: [String]
    /// Over our own environment.
    public var environment: [String: String]
    /// Variables of ours that are not handed on.
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
        let words = ([executable.string] + arguments).map { strdup($0) } + [nil]
        let settings = variables.map { strdup("\($0.key)=\($0.value)") } + [nil]
        execve(executable.string, words, settings)
        throw ProcessError(.cannotRun, "cannot run \(executable): \(Errno(rawValue: errno))")
    }

    /// Handlers go by themselves; what is ignored or blocked would stay so.
    private func giveBackSignals() {
        _ = signal(SIGPIPE, SIG_DFL)
        var none = sigset_t()
        sigemptyset(&none)
        pthread_sigmask(SIG_SETMASK, &none, nil)
    }
}
