import DumpCore
import Settings

/// What other sessions do in the databases to be dumped that a dump may have to wait for.
struct ServerActivity: Sendable {
    var locks: [ExclusiveLocks]
    var transactions: [OpenTransaction]
    /// Whether our role may see what the sessions of other roles do, and since when.
    var seesAllSessions: Bool

    /// The ACCESS EXCLUSIVE locks of one session in one database, which not even readers get past. A dump also waits behind
    /// sessions that only wait for such a lock.
    struct ExclusiveLocks: Sendable {
        var holder: Holder
        var isHeld: Bool
        var database: String
        /// Names with their schemas, or numbers where the names could not be found out.
        var relations: [String]
        /// How long the transaction has been open, or the waiting goes on; nil if we may not know.
        var duration: Duration?
        /// Whom it waits for, in words.
        var blockers: [String]
    }

    struct OpenTransaction: Sendable {
        var holder: Holder
        var database: String
        var state: String
        var duration: Duration
    }

    enum Holder: Sendable {
        case session(pid: String, role: String)
        /// A process of the server that works for no role, such as one that replays the log.
        case process(pid: String)
        case prepared(gid: String)
    }
}

extension ServerActivity {
    /// How long a transaction may have been open before it is remarked on.
    static let longTransaction = Duration.seconds(3600)

    /// Warnings, each with what to do, and a note where the role may not see everything.
    func findings(of role: String) -> [Finding] {
        locks.map(\.finding) + transactions.map(\.finding) + (seesAllSessions ? [] : [Self.blindness(of: role)])
    }

    private static func blindness(of role: String) -> Finding {
        Finding(
            .note, "sessions_hidden", object: role,
            "role '\(role)' may not see what sessions of other roles do: long transactions are not found",
            hint: "GRANT pg_read_all_stats TO it.")
    }
}

extension ServerActivity.ExclusiveLocks {
    fileprivate var finding: Finding {
        let subject = relations.count == 1 ? relations[0] : "\(relations.count) relations, \(relations[0]) among them,"
        let place = "an ACCESS EXCLUSIVE lock on \(subject) in database '\(database)'"
        let time = duration.map(\.settingsText)
        guard isHeld else {
            let others = blockers.isEmpty ? "" : ", behind \(blockers.joined(separator: ", "))"
            return Finding(
                .warning, "lock_awaited", object: object,
                "\(holder) waits for \(place)\(time.map { " for \($0)" } ?? "")\(others)",
                hint: "The dump would queue behind it. Find out what they wait for, or end it: \(holder.end)")
        }
        return Finding(
            .warning, "lock_held", object: object,
            "\(holder) holds \(place)\(time.map { ", in a transaction open for \($0)" } ?? "")",
            hint: "The dump waits for it as long as lock_timeout, then fails. Let it finish, or end it: \(holder.end)")
    }

    private var object: String { "\(database).\(relations[0])" }
}

extension ServerActivity.OpenTransaction {
    fileprivate var finding: Finding {
        Finding(
            .warning, "transaction_open_long", object: database,
            "\(holder) has had a transaction open for \(duration.settingsText) in database '\(database)' (\(state))",
            hint: "If it alters a table, the dump waits for it. If it is not needed, end it: \(holder.end)")
    }
}

extension ServerActivity.Holder: CustomStringConvertible {
    var description: String {
        switch self {
        case .session(let pid, let role): "session \(pid) of role '\(role)'"
        case .process(let pid): "process \(pid) of the server"
        case .prepared(let gid): "prepared transaction '\(gid)'"
        }
    }

    /// A sentence.
    fileprivate var end: String {
        switch self {
        case .session(let pid, _), .process(let pid): "SELECT pg_terminate_backend(\(pid))."
        case .prepared: "COMMIT PREPARED or ROLLBACK PREPARED."
        }
    }
}
