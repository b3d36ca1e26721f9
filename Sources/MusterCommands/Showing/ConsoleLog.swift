import DumpCore
import Linux
import Logging

/// Log lines on standard error: `message key=value …`. On a terminal they begin with the local time, elsewhere with the time in UTC and the
/// level. The journal gets them as entries with fields; it adds the time itself.
struct ConsoleLog: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level
    /// Whether what the end of the command prints is printed there alone.
    var isCalm = false

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        var facts = metadata.merging(event.metadata ?? [:]) { $1 }
        let milestone = facts.removeValue(forKey: Milestone.key).flatMap { Milestone(rawValue: "\($0)") }
        guard !isCalm || !isToldAtTheEnd(event, facts, milestone) else { return }
        let sorted = facts.sorted { $0.key < $1.key }
        let text = sorted.map { " \($0.key.onOneLine)=\(Self.quoted("\($0.value)"))" }.joined()
        Console.shared.logLine(
            "\(event.message)".onOneLine + text, event.level, Self.fields(facts, milestone),
            elsewhere: prefix(event.level))
    }

    /// Milestones stand in the result. Findings are kept for it.
    private func isToldAtTheEnd(_ event: LogEvent, _ facts: Logger.Metadata, _ milestone: Milestone?) -> Bool {
        if event.level == .notice, milestone != nil { return true }
        guard event.level == .warning, let dump = facts["dump"], facts["code"] != nil else { return false }
        Console.shared.keep(Finding.sentence("\(event.message)", of: "\(dump)").onOneLine)
        return true
    }

    private func prefix(_ level: Logger.Level) -> String {
        guard Console.shared.isTerminal else { return "\(Timestamp.now) \(level): " }
        return "\(Timestamp.now.local.dropFirst(11)) " + (level >= .warning ? "\(level): " : "")
    }

    /// What is worth a search in the journal.
    private static func fields(_ facts: Logger.Metadata, _ milestone: Milestone?) -> [SystemJournal.Field] {
        let named = ["dump", "repository", "archive", "code"].compactMap { key in
            facts[key].map { SystemJournal.Field("MUSTER_\(key.uppercased())", "\($0)") }
        }
        let kind = milestone ?? (facts["code"] == nil ? nil : .finding)
        return named + (kind.map { [.milestone($0)] } ?? [])
    }

    private static func quoted(_ value: String) -> String {
        let plain =
            value.allSatisfy { !$0.isWhitespace && $0 != "\"" && $0 != "=" } && !value.isEmpty
            && value.onOneLine == value
        if plain { return value }
        var escaped = ""
        for scalar in value.unicodeScalars {
            switch scalar {
            case "\\", "\"": escaped += "\\\(scalar)"
            case "\n": escaped += "\\n"
            default: escaped.unicodeScalars.append(scalar)
            }
        }
        return "\"\(escaped.onOneLine)\""
    }
}

extension Logger.Level {
    /// The priority for syslog(3).
    var priority: Int {
        switch self {
        case .critical: 2
        case .error: 3
        case .warning: 4
        case .notice: 5
        case .info: 6
        case .debug, .trace: 7
        }
    }
}

extension SystemJournal.Field {
    static func milestone(_ milestone: Milestone) -> SystemJournal.Field {
        SystemJournal.Field("MESSAGE_ID", milestone.messageID)
    }
}
