import DumpCore
import Reporting

typealias ExitStatus = Reporting.ExitStatus

/// A command's end with something to say about it on standard error.
struct CommandFailure: Error {
    var status: ExitStatus
    var error: any OperatorError
    /// What is said last, on a line of its own.
    var lastLine: String?
    /// Whether the status is on record already, so that a signal that came since does not change it.
    var isOnRecord = false
}
