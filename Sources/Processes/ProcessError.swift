import DumpCore

/// Why a program could not be run to its end, or not be given its secret. How it ended is not an error, see `ProgramOutcome`.
public typealias ProcessError = CodedError<ProcessErrorCode>

public enum ProcessErrorCode: String, ErrorCode {
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
