import DumpCore
import Glibc
import Logging

/// Log lines on standard error: `message key=value …`. On a terminal they begin with the local time; for the journal with
/// the level as it reads it (`<4>`), which adds the time itself; elsewhere with the time in UTC and the level.
struct ConsoleLog: LogHandler {
    var metadata: Logger.Metadata = [:]
    var logLevel: Logger.Level

    subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    func log(event: LogEvent) {
        let facts = metadata.merging(event.metadata ?? [:]) { $1 }.sorted { $0.key < $1.key }
        let text = facts.map { " \($0.key.onOneLine)=\(Self.quoted("\($0.value)"))" }.joined()
        Console.shared.plainError(prefix(event.level) + "\(event.message)".onOneLine + text)
    }

    private func prefix(_ level: Logger.Level) -> String {
        if Self.goesToJournal { return "<\(priority(level))>" }
        guard Console.shared.isTerminal else { return "\(Timestamp.now) \(level): " }
        let time = Timestamp.now.local.dropFirst(11).prefix(8)
        return "\(time) " + (level >= .warning ? "\(level): " : "")
    }

    private static let goesToJournal = getenv("JOURNAL_STREAM") != nil && !Console.shared.isTerminal

    /// Of syslog(3).
    private func priority(_ level: Logger.Level) -> Int {
        switch level {
        case .critical: 2
        case .error: 3
        case .warning: 4
        case .notice: 5
        case .info: 6
        case .debug, .trace: 7
        }
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
