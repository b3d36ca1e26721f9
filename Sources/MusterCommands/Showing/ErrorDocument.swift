import DumpCore
import MusterConfig
import Reporting

/// The document of a command that has no other to print, because of an error.
struct ErrorDocument: Encodable {
    var error: RunReport.ErrorRecord
    /// What the command ends with.
    var exitStatus: Int32
    /// The mistakes in a job file that is wrong.
    var mistakes: [Mistake]?

    struct Mistake: Encodable {
        var file: String
        /// From 1 on.
        var line: Int
        var column: Int
        var message: String
        var hint: String?
    }

    init(_ error: any OperatorError, exitStatus: Int32) {
        self.error = RunReport.ErrorRecord(error)
        self.exitStatus = exitStatus
        guard let wrong = error as? ConfigurationError, let file = wrong.file else { return }
        mistakes = wrong.diagnostics.map {
            Mistake(file: file.string, line: $0.mark.line, column: $0.mark.column, message: $0.message, hint: $0.hint)
        }
    }
}
