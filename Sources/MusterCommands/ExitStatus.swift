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

/// Gives the error of a lock that another run holds its exit status.
func unlessLocked<Result>(_ work: () async throws -> Result) async throws -> Result {
    do {
        return try await work()
    } catch let error as any OperatorError where error.codeName == "locked" {
        throw CommandFailure(status: .locked, error: error)
    }
}
