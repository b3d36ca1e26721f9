import DumpCore

/// An error without words for the operator.
struct UnexpectedError: OperatorError {
    let codeName = "unexpected"
    let message: String
    let hint: String? = "This is a defect of muster. Please report it."
    let context: ErrorContext = [:]

    init(_ error: any Error) { message = "unexpected error: \(error)" }
}

extension Error {
    /// The same as an error that an operator reads. One that has no words for that is a defect.
    public var forOperator: any OperatorError { self as? any OperatorError ?? UnexpectedError(self) }
}

/// The failures of one step over all dumps or repositories, as one error.
public struct CombinedError: OperatorError {
    public let codeName: String
    public let message: String
    public let hint: String?
    public var context: ErrorContext
    /// Only if every failure is.
    public let isTransient: Bool

    /// - Parameter failures: what failed, and why; at least one. A single one keeps its own words.
    public init(_ what: String, _ failures: [(name: String, error: any OperatorError)]) {
        isTransient = failures.allSatisfy(\.error.isTransient)
        if let only = failures.first?.error, failures.count == 1 {
            (codeName, message, hint, context) = (only.codeName, only.message, only.hint, only.context)
            return
        }
        codeName = "several"
        message = "\(failures.count) \(what) failed: \(failures.map(\.name).joined(separator: ", "))"
        hint = nil
        var context = ErrorContext()
        for failure in failures { context[failure.name] = failure.error.description }
        self.context = context
    }
}
