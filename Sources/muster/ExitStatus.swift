import ArgumentParser
import DumpCore
import Pipeline

/// How every command ends. 75 is never used: other tools read it as "skip quietly".
enum ExitStatus: Int32, CaseIterable {
    case done = 0
    case failed = 1
    case dumpFailed = 3
    case archiveFailed = 4
    case verificationFailed = 5
    case locked = 6
    case restoreFailed = 7
    case usage = 64
    case configuration = 78
    case interrupted = 130
    case terminated = 143

    var meaning: String {
        switch self {
        case .done: "done"
        case .failed: "anything else went wrong"
        case .dumpFailed: "a dump failed: nothing was published, no archive was made"
        case .archiveFailed: "Borg failed or an archive is not faithful: the set is intact"
        case .verificationFailed: "the set is not what its manifest says"
        case .locked: "another run holds the lock"
        case .restoreFailed: "a restore failed"
        case .usage: "the command line is wrong"
        case .configuration: "the job file is wrong"
        case .interrupted, .terminated: "interrupted (SIGINT), terminated (SIGTERM)"
        }
    }

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
}
