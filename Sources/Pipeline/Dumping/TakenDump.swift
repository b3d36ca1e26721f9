import DumpCore
import Reporting

/// What became of one dump.
struct TakenDump: Sendable {
    var name: String
    var kind: String
    var startedAt: Timestamp
    var endedAt: Timestamp
    /// What prepare found, before what the dump itself found.
    var prepareFindings: [Finding]
    /// What prepare expected to be left out: all that is known of a dump that failed.
    var expectedOmissions: [Finding]
    var outcome: Result<DumpSummary, DumpError>
    /// The digest of what lists the files of the dump of this name in the current set.
    var formerListSHA256: String?
    /// Set once the dump was measured.
    var bytes: Int64?
    /// What is unusual about its size.
    var sizeFinding: Finding?

    var error: DumpError? {
        if case .failure(let error) = outcome { error } else { nil }
    }

    /// What was found after prepare, which has been told.
    var findingsOfDump: [Finding] {
        ((try? outcome.get())?.findings ?? []) + (sizeFinding.map { [$0] } ?? [])
    }

    var record: RunReport.DumpRecord {
        var record = RunReport.DumpRecord(
            name: name, provider: kind, outcome: .failed, durationSeconds: endedAt.seconds(since: startedAt),
            findings: prepareFindings, omissions: expectedOmissions)
        switch outcome {
        case .success(let summary):
            record.outcome = .done
            record.moment = summary.moment
            record.findings += summary.findings
            record.omissions = summary.omissions
        case .failure(let failure):
            record.outcome = failure.code == .cancelled ? .interrupted : .failed
            record.error = RunReport.ErrorRecord(failure)
        }
        record.bytes = bytes
        record.findings += sizeFinding.map { [$0] } ?? []
        return record
    }
}
