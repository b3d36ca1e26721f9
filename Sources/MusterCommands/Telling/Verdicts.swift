import DumpCore
import Pipeline
import Reporting
import Restoring

extension CommandNotices.Verdict {
    /// The verdict of a drill. What one repository's archive proves says nothing about another's.
    init(_ record: DrillRecord) {
        let key = record.origin.repository.map { "drill/\($0)" } ?? "drill"
        text = record.text
        // A drill that could be held ends the incident of one that could not.
        if record.outcome == .failed {
            opened = [(key, DrillFailure(record))]
        } else {
            ended = ["drill", key]
        }
    }

    /// The verdict of a check of repositories, each an incident of its own.
    init(_ kept: Upkeep.Kept) {
        for repository in kept.repositories {
            let key = "check/\(repository.repository)"
            if let error = repository.error {
                opened.append((key, RecordedError(error, of: "repository \(repository.repository)")))
            } else {
                ended.append(key)
            }
        }
        if opened.isEmpty, let error = kept.failure?.error { opened = [("check", error)] }
        if kept.failure == nil { ended.append("check") }
        if case .interrupted? = kept.failure { isInterrupted = true }
    }
}

/// A drill that failed, as an error.
private struct DrillFailure: OperatorError {
    let codeName: String
    let message: String
    let hint: String?
    let context: ErrorContext

    init(_ record: DrillRecord) {
        codeName = record.failure?.code ?? "not_restored"
        message = "\(record.origin.text): \(record.failureText)"
        hint = record.failure?.hint
        context = ["verdict": record.text]
    }
}

/// An error as a document tells it.
private struct RecordedError: OperatorError {
    let codeName: String
    let message: String
    let hint: String?
    let context: ErrorContext

    init(_ record: RunReport.ErrorRecord, of what: String) {
        (codeName, hint) = (record.code, record.hint)
        message = "\(what): \(record.message)"
        var context = ErrorContext()
        for (name, value) in record.context.sorted(by: { $0.key < $1.key }) { context[name] = value }
        self.context = context
    }
}
