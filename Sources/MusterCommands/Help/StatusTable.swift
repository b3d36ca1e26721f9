import Reporting

/// The exit statuses of a command, as its help lists them.
struct StatusTable: Sendable {
    struct Row: Sendable {
        /// One or several, such as `130, 143`.
        var statuses: String
        var meaning: String
    }

    /// What must be known before the rows, such as that the status is another program's.
    var note: String?
    var rows: [Row]

    /// The statuses that every command has, and `own`, in the order of their numbers.
    static func of(_ own: ExitStatus..., note: String? = nil) -> StatusTable {
        let all = ([.done, .failed, .usage, .configuration] + own).sorted { $0.rawValue < $1.rawValue }
        return StatusTable(
            note: note, rows: all.map { Row(statuses: "\($0.rawValue)", meaning: $0.meaning) } + [signals])
    }

    static let signals = Row(statuses: "129, 130, 143", meaning: "ended by SIGHUP, SIGINT (Ctrl-C) or SIGTERM")

    var text: String {
        let lines = rows.map { row in
            "  \(row.statuses)\(String(repeating: " ", count: max(2, 4 - row.statuses.count)))\(row.meaning)"
        }
        return (["EXIT STATUS:"] + (note.map { ["  \($0)"] } ?? []) + lines).joined(separator: "\n")
    }
}
