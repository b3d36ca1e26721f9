import DumpCore

/// Why a program could not be run to its end, or not be given its secret. How it ended is not an error, see `ProgramOutcome`.
public struct ProcessError: OperatorError, Sendable {
    public enum Code: String, Sendable {
        /// It is not there or cannot be executed.
        case programNotFound = "program_not_found"
        /// It could not be started, or its output could not be read.
        case cannotRun = "cannot_run"
        /// It wrote more than it may.
        case tooMuchOutput = "too_much_output"
        /// A secret is not where it should be, or is not kept secret there.
        case secretUnavailable = "secret_unavailable"
        /// Our task was cancelled; the program has been stopped.
        case cancelled
    }

    public var code: Code
    public var message: String
    public var hint: String?
    public var context: ErrorContext
    public var underlying: (any Error)?

    public var codeName: String { code.rawValue }

    public init(
        _ code: Code, _ message: String, hint: String? = nil, context: ErrorContext = [:],
        underlying: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.hint = hint
        self.context = context
        self.underlying = underlying
    }
}
