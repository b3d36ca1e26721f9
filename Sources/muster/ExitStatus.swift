import ArgumentParser
import DumpCore
import Pipeline

typealias ExitStatus = Pipeline.ExitStatus

extension ExitStatus {
    /// A paragraph for a command's help that lists the statuses it ends with.
    static func help(_ own: ExitStatus...) -> String {
        let all = [.done] + own + [.usage, .configuration, .failed]
        let lines = all.map { "  \($0.rawValue)\($0.rawValue < 10 ? " " : "")  \($0.meaning)" }
        return "EXIT STATUS:\n" + lines.joined(separator: "\n") + "\n  130, 143  interrupted, terminated"
    }
}

/// A command's end with something to say about it on standard error.
struct CommandFailure: Error {
    var status: ExitStatus
    var error: any OperatorError
    /// What is said last, on a line of its own.
    var lastLine: String?
    /// Whether the status is on record already, so that a signal that came since does not change it.
    var isOnRecord = false
}
