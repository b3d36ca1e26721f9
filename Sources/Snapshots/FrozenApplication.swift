import DumpCore

/// An application that is held still, as its undo record has it.
struct FrozenApplication: UndoFacts {
    static let recordKind = "application_freeze"

    var thaw: [String]
    /// How long the thaw command may take.
    var deadline: Duration

    var kind: String { Self.recordKind }

    /// A word of a command has no line end in it: `Shape.command`.
    var recorded: [String: String] {
        ["thaw": thaw.joined(separator: "\n"), "deadline_seconds": "\(max(1, deadline.components.seconds))"]
    }
}

extension FrozenApplication {
    init(of record: UndoRecord) throws(DumpError) {
        guard record.kind == Self.recordKind else { throw DumpError(unknown: record) }
        thaw = try record.fact("thaw").split(atASCII: "\n", omittingEmptySubsequences: false).map(String.init)
        deadline = .seconds(min(max(1, Int64(try record.fact("deadline_seconds")) ?? 60), 86400))
    }
}
