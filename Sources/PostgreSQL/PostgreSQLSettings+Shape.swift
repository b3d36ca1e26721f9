import CLibPQ
import Settings
import SystemPackage

extension PostgreSQLSettings: ProviderSettings {
    public static let kind = "postgresql"
    public static let summary = "The databases of a PostgreSQL server, dumped by pg_dump or pg_dumpall."

    public static var shape: ObjectShape<PostgreSQLSettings> {
        ObjectShape(default: PostgreSQLSettings())
            .key(
                "connection", \.connection, .connectionString,
                "A libpq connection string such as 'service=app' or a URI, without a password. Empty: the local server."
            )
            .optional("password", \.password, .secret, "The password to log in with, if the server asks for one.")
            .optional(
                "run_as", \.runAs, .userName,
                "The system user to connect and dump as, for peer authentication. Needs root, unless it is our own."
            )
            .group("databases", "Which databases. In a glob, * stands for any characters and ? for one.") { databases in
                databases
                    .key(
                        "include", \.include, .list(of: .name, atLeast: 1),
                        "Globs of the databases to dump. A name without * and ? must exist."
                    )
                    .key("exclude", \.exclude, .list(of: .name), "Globs of the databases to leave out.")
            }
            .key(
                "layout", \.layout, .choice,
                "databases: a directory for each database, beside roles and tablespaces. cluster: one all.sql of pg_dumpall."
            )
            .key(
                "lock_timeout", \.lockTimeout, .lockTimeout,
                "How long pg_dump waits for a table that is locked before the dump fails."
            )
            .key("deadline", \.deadline, .timeLimit, "How long the whole dump may take before it is stopped and fails.")
            .optional(
                "bin_directory", \.binDirectory, .absolutePath,
                "Where pg_dump, pg_dumpall and pg_restore are. If not set, the newest installed that suits the server."
            )
            .check("password", "connection") { $0.passfileFault }
    }

    private var passfileFault: Fault? {
        guard password != nil, ConnectionString(connection).options["passfile"] != nil else { return nil }
        return Fault(
            "has no effect, as the connection string names a passfile", hint: "Leave one of them out.")
    }
}

extension Shape<String> {
    fileprivate static var connectionString: Shape { line.checked { ConnectionString($0).fault } }

    fileprivate static var userName: Shape {
        matching("[A-Za-z_][A-Za-z0-9_.@-]*[$]?", "the name of a user")
    }
}

extension Shape<Duration> {
    /// `--lock-wait-timeout` is a `statement_timeout` on the server: a count of milliseconds in 32 bits, in which 0 is no limit.
    fileprivate static var lockTimeout: Shape { duration(atLeast: .milliseconds(1), atMost: .seconds(24 * 86400)) }
}

/// A connection string, taken apart by libpq itself without connecting or looking anywhere else.
private struct ConnectionString {
    /// What is set in it. Empty if libpq does not understand it.
    private(set) var options: [String: String] = [:]
    /// Why it may not be in a job file. Never repeats what may be a password.
    private(set) var fault: Fault?

    init(_ text: String) {
        var complaint: UnsafeMutablePointer<CChar>?
        guard let first = PQconninfoParse(text, &complaint) else {
            defer { PQfreemem(complaint) }
            fault = Self.fault(in: text, complaint: complaint.map { String(cString: $0) } ?? "")
            return
        }
        defer { PQconninfoFree(first) }
        var option = first
        while let keyword = option.pointee.keyword {
            if let value = option.pointee.val {
                options[String(cString: keyword)] = String(cString: value)
                if Self.isSecret(option.pointee) { fault = Self.passwordFault }
            }
            option += 1
        }
    }

    /// libpq marks passwords with an asterisk, and some newer secrets not at all.
    private static func isSecret(_ option: PQconninfoOption) -> Bool {
        String(cString: option.dispchar) == "*"
            || ["oauth_client_secret", "scram_client_key", "scram_server_key"].contains(String(cString: option.keyword))
    }

    private static func fault(in text: String, complaint: String) -> Fault {
        guard !text.lowercased().contains("passw") else { return passwordFault }
        // libpq repeats the part that it stumbles over, such as a whole URI. Only what looks like a name is safe to show.
        if let name = complaint.firstMatch(of: /^invalid connection option "([a-z_]+)"/)?.1 {
            let near = nearestWord(to: String(name), among: knownOptions).map { "Did you mean '\($0)'?" }
            return Fault("libpq knows no option '\(name)'", hint: near)
        }
        return Fault(
            "libpq does not understand this connection string",
            hint: "Write it as 'host=db.example user=backup' or as 'postgresql://backup@db.example/'.")
    }

    private static var knownOptions: [String] {
        guard let first = PQconninfoParse("", nil) else { return [] }
        defer { PQconninfoFree(first) }
        return sequence(first: first) { $0 + 1 }.lazy.map(\.pointee.keyword).prefix { $0 != nil }
            .map { String(cString: $0!) }
    }

    private static let passwordFault = Fault(
        "a password is never written in a job file",
        hint: "Leave it out here and write password: {file: /path/to/it} beside connection.")
}
