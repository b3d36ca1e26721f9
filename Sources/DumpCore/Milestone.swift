import Logging

/// A kind of event that scripts and alerts look for. It has the same words each time. In the journal it has a number of its own
/// (`MESSAGE_ID`, see systemd.journal-fields(7)), which is never given to another kind.
public enum Milestone: String, Sendable, CaseIterable {
    case dumpStarted = "dump started"
    case dumpFinished = "dump finished"
    case dumpFailed = "dump failed"
    case setPublished = "set published"
    case archiveConfirmed = "archive confirmed"
    case repositoryPruned = "repository pruned"
    case repositoryChecked = "repository checked"
    /// What a run left that was killed, or that lost power.
    case leftoversUndone = "undid what a dead run had left"
    /// Whatever a provider or a check found; `MUSTER_CODE` says what.
    case finding
    /// The command ends with another status than 0.
    case failed

    /// 32 hex digits.
    public var messageID: String {
        switch self {
        case .dumpStarted: "1f3a6a0c1d8f4b7e9a52c7d06e41b801"
        case .dumpFinished: "1f3a6a0c1d8f4b7e9a52c7d06e41b802"
        case .dumpFailed: "1f3a6a0c1d8f4b7e9a52c7d06e41b803"
        case .setPublished: "1f3a6a0c1d8f4b7e9a52c7d06e41b804"
        case .archiveConfirmed: "1f3a6a0c1d8f4b7e9a52c7d06e41b805"
        case .repositoryPruned: "1f3a6a0c1d8f4b7e9a52c7d06e41b806"
        case .repositoryChecked: "1f3a6a0c1d8f4b7e9a52c7d06e41b807"
        case .leftoversUndone: "1f3a6a0c1d8f4b7e9a52c7d06e41b808"
        case .finding: "1f3a6a0c1d8f4b7e9a52c7d06e41b809"
        case .failed: "1f3a6a0c1d8f4b7e9a52c7d06e41b80a"
        }
    }

    /// The key under which a log event names its milestone. No log shows it as a fact.
    public static let key = "milestone"

    fileprivate var level: Logger.Level {
        switch self {
        case .dumpStarted: .info
        case .dumpFinished, .setPublished, .archiveConfirmed, .repositoryPruned, .repositoryChecked: .notice
        case .dumpFailed, .leftoversUndone, .finding: .warning
        case .failed: .error
        }
    }
}

extension Logger {
    /// Logs a milestone in its own words, at its own level.
    public func note(_ milestone: Milestone, _ metadata: Logger.Metadata) {
        log(
            level: milestone.level, "\(milestone.rawValue)",
            metadata: metadata.merging([Milestone.key: "\(milestone.rawValue)"]) { $1 })
    }
}
