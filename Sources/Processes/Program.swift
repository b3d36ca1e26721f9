import CKeeper
import DumpCore
import SystemPackage

/// A program to run: what, with what, and as whom. Nothing in it is ever given to a shell.
public struct Program: Sendable {
    /// Absolute path, see `Executables`.
    public var executable: FilePath
    public var arguments: [String]
    /// Added to the filtered environment, over what is inherited.
    public var environment: [String: String]
    /// Variables of our own environment that are handed on because their names begin with one of these, such as `PG`.
    /// Always handed on: `PATH`, `HOME`, `USER`, `LOGNAME`, `TMPDIR`, `TZ`. Never: anything that may hold a password.
    public var inheritedPrefixes: [String]
    /// What a program needs of them that reaches into containers: they say where the engine is.
    public static let engineVariables = [
        "DOCKER_", "CONTAINER_HOST", "CONTAINER_CONNECTION", "CONTAINER_SSHKEY", "CONTAINERS_", "XDG_",
    ]
    /// The user to run as, or nil for our own. Only root can change it.
    public var user: String?
    /// For a program that may do anything: in place of `user`, and it finds itself in its room, whatever its working directory.
    public var isolation: Isolation?
    public var workingDirectory: FilePath
    /// A directory that the program may write to although it cannot reach it by its path: opened as our own user and handed on.
    /// The program finds it at `Program.directoryPath`.
    public var directory: FilePath?
    /// Whether `directory` is its working directory, and nothing that it finds as a descriptor.
    public var entersDirectory = false
    /// At most `Program.mostSecrets`.
    public var secrets: [HandedSecret]
    /// What it gets while it runs, on its standard input; nil for nothing.
    public var input: ProgramInput?
    /// What it reads on its standard input in place of `input`. The caller closes it once the program runs.
    public var inputFile: FileDescriptor?
    /// Whether it fails when it ends with status 0 and leaves a process running: with the status `leftProcess`, and words that say which.
    public var endsAlone = false
    /// Whether its output may repeat a secret that it has from elsewhere, such as a URL in its own configuration. Then no line of it is
    /// shown or logged.
    public var repeatsSecrets = false
    /// How long the program has between SIGTERM and SIGKILL when it is stopped.
    public var grace: Duration

    /// Where a program finds the directory it was handed.
    public static let directoryPath: FilePath = "/proc/self/fd/3"
    /// Where it finds the first of its secrets, for a program that takes the path as an argument.
    public static let firstSecretPath = FilePath("/proc/self/fd/\(KEEPER_FIRST_SECRET)")
    /// How many a keeper hands on.
    public static let mostSecrets = Int(KEEPER_MOST_SECRETS)
    /// The status of a program that ended well and was not alone.
    public static let leftProcess = ProgramOutcome.Status.exited(Int32(KEEPER_LEFT_PROCESS))

    public init(
        _ executable: FilePath, _ arguments: [String], environment: [String: String] = [:],
        inheritedPrefixes: [String] = [], user: String? = nil, isolation: Isolation? = nil,
        workingDirectory: FilePath = "/", directory: FilePath? = nil, secrets: [HandedSecret] = [],
        input: ProgramInput? = nil, grace: Duration = .seconds(10)
    ) {
        self.executable = executable
        self.arguments = arguments
        self.environment = environment
        self.inheritedPrefixes = inheritedPrefixes
        self.user = user
        self.isolation = isolation
        self.workingDirectory = workingDirectory
        self.directory = directory
        self.secrets = secrets
        self.input = input
        self.grace = grace
    }

    /// The last component of the executable's path, for messages.
    public var name: String { executable.lastComponent?.string ?? executable.string }
}

/// A secret on its way to a program: in memory all the way, never in arguments, environment or a file on disk. Other text can go the same way.
public struct HandedSecret: Sendable {
    enum Form { case path, descriptor }

    var variable: String
    var form: Form
    var text: Secret
    /// Whether what the program says must not repeat it.
    var isSecret = true

    /// `variable` will name a file of mode 0600 that belongs to the program's user and ends with it, such as `PGPASSFILE`.
    public static func file(namedBy variable: String, _ text: Secret) -> HandedSecret {
        HandedSecret(variable: variable, form: .path, text: text)
    }

    /// The same for text that is not secret.
    public static func document(namedBy variable: String, _ text: String) -> HandedSecret {
        HandedSecret(variable: variable, form: .path, text: Secret(text), isSecret: false)
    }

    /// `variable` will hold the number of an open descriptor, such as `BORG_PASSPHRASE_FD`.
    public static func descriptor(namedBy variable: String, _ text: Secret) -> HandedSecret {
        HandedSecret(variable: variable, form: .descriptor, text: text)
    }
}

/// Where a program's standard output goes.
public enum ProgramOutput: Sendable {
    case discard
    /// Straight into this open file, no byte passes through us. The caller closes it.
    case file(FileDescriptor)
    /// Into memory, at most this many bytes; more is an error.
    case collect(limit: Int)
    /// Each line without its end, as it comes. Bytes that are not UTF-8 are replaced.
    case lines(@Sendable (String) -> Void)
    /// Piece by piece as it comes, cut anywhere. The bytes are there during the call only.
    case pieces(@Sendable (UnsafeRawBufferPointer) -> Void)
}

/// How a program ended. A bad status is a value, not an error: the caller knows what it means.
public struct ProgramOutcome: Sendable, Hashable {
    public enum Status: Sendable, Hashable, CustomStringConvertible {
        case exited(Int32)
        case signaled(Int32)

        public var description: String {
            switch self {
            case .exited(let code): "exited with status \(code)"
            case .signaled(let signal): "was ended by signal \(signal)" + (signalNames[signal].map { " (\($0))" } ?? "")
            }
        }
    }

    public var status: Status
    /// What was collected, if the output was `.collect`.
    public var output: [UInt8]
    /// The last lines of standard error, at most 20.
    public var lastErrorLines: [String]

    public init(status: Status, output: [UInt8] = [], lastErrorLines: [String]) {
        self.status = status
        self.output = output
        self.lastErrorLines = lastErrorLines
    }

    public var succeeded: Bool { status == .exited(0) }
    public var lastErrors: String { lastErrorLines.joined(separator: "\n") }
}
