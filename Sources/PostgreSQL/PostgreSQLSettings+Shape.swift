import Settings
import SystemPackage

extension PostgreSQLSettings: ProviderSettings {
    public var programUser: String? { runAs }

    static var shape: ObjectShape<PostgreSQLSettings> {
        ObjectShape(default: PostgreSQLSettings())
            .key(
                "connection", \.connection, .connectionString.example("service=app"),
                "A libpq connection string such as 'service=app' or a URI, without a password. Empty: the local server."
            )
            .optional("password", \.password, .secret, "The password to log in with, if the server asks for one.")
            .optional(
                "container", \.container, ContainerSettings.shape.shape,
                "The container that the server runs in: Muster connects to its socket, and needs root for that."
            )
            .optional(
                "run_as", \.runAs, .userName.example("postgres"),
                "The system user to connect and dump as, for peer authentication. Needs root, unless it is the user that runs Muster."
            )
            .group(
                "databases", "Which databases. In a glob, * stands for any characters and ? for one.", main: "include"
            ) { databases in
                databases
                    .key(
                        "include", \.include, .list(of: .name, atLeast: 1),
                        "Globs of the databases to dump. A name without * and ? must exist."
                    )
                    .key(
                        "exclude", \.exclude, .list(of: .name).example(["scratch_*"]),
                        "Globs of the databases to leave out.")
            }
            .key(
                "layout", \.layout, .choice,
                "databases: a directory for each database, beside roles and tablespaces. cluster: one all.sql of pg_dumpall."
            )
            .key(
                "growth", \.growth, .choice,
                "plain: a file for each table. delta: of large tables only the rows that change, so that repositories grow by these."
            )
            .key(
                "growth_max_age", \.growthMaxAge, .duration(atLeast: .seconds(86400), atMost: .seconds(3650 * 86400)),
                "With growth: delta, how old the whole copy of a table may become. Deleted rows stay in new archives until the next one."
            )
            .key(
                "consistency", \.consistency, .choice,
                "best: all databases as of one instant if possible, else a recorded window. exact: fail rather than take a window."
            )
            .group("freeze", "How long to try for one instant while transactions keep committing.") { freeze in
                freeze
                    .key("attempts", \.freezeAttempts, .integer(1...1_000_000), "How many times at most.")
                    .key("time", \.freezeTime, .duration(atLeast: .zero, atMost: .seconds(3600)), "How long at most.")
            }
            .key(
                "connection_share", \.connectionShare, .integer(1...100),
                "The percentage of the server's free connections that the dump may take. The application has the rest."
            )
            .group("standby", "For a server in recovery; ignored on others.") { standby in
                standby
                    .key(
                        "pause_replay", \.pausesReplay, .boolean,
                        "Pause replay, so that all databases are as of one instant and no conflict cancels the dump."
                    )
                    .key(
                        "pause_limit", \.pauseLimit, .duration(atLeast: .seconds(1), atMost: .seconds(7 * 86400)),
                        "How long replay may stay paused. Then Muster resumes it, and the dump goes on without the pause."
                    )
            }
            .key(
                "lock_timeout", \.lockTimeout, .lockTimeout,
                "How long pg_dump waits for a locked table before the dump fails."
            )
            .key(
                "stall_timeout", \.stallTimeout, .timeLimit,
                "How long pg_dump may make no progress before Muster reports what it waits for and stops it."
            )
            .key("deadline", \.deadline, .timeLimit, "How long the whole dump may take before Muster stops it.")
            .optional(
                "bin_directory", \.binDirectory, .absolutePath.example("/usr/lib/postgresql/17/bin"),
                "Where pg_dump, pg_dumpall and pg_restore are. Not set: those of the server's own major version, else newer ones."
            )
            .key(
                "settings", \.copiesSettings, .boolean,
                "Whether to copy postgresql.conf, pg_hba.conf and the like into the dump, if the role may read them."
            )
            .key(
                "allow_omissions", \.allowedOmissions, .list(of: .choice).example(["optimizer_statistics"]),
                "What may be missing from the dump, by the codes that 'muster check' shows."
            )
            .key("strict", \.isStrict, .boolean, "Whether any other omission fails the dump.")
            .check("password", "connection") { $0.passfileFault }
            .check("container", "run_as") { $0.containerFault }
            .check("growth", "layout") { $0.growthFault }
    }

    private var containerFault: Fault? {
        guard container != nil else { return nil }
        if runAs != nil {
            return Fault(
                "only root reaches into a container, and run_as names another user",
                hint: "Leave out run_as, and name the role: connection: user=postgres.")
        }
        return container?.user == nil
            ? nil
            : Fault(
                "no program runs in the container",
                hint: "Leave out its user. Name the role: connection: user=postgres.")
    }

    private var growthFault: Fault? {
        guard growth == .delta, layout == .cluster else { return nil }
        return Fault(
            "the one file of layout: cluster is not stored as rows",
            hint: "Set layout: databases, or leave out growth.")
    }

    private var passfileFault: Fault? {
        // What cannot be taken apart is a fault of the connection string itself.
        guard password != nil, (try? ConnectionOptions(parsing: connection))?["passfile"] != nil else { return nil }
        return Fault(
            "has no effect, as the connection string names a passfile", hint: "Leave one of them out.")
    }
}

extension Shape<String> {
    fileprivate static var connectionString: Shape { line.checked { ConnectionOptions.fault(in: $0) } }
}

extension ConnectionOptions {
    fileprivate static func fault(in text: String) -> Fault? {
        do {
            _ = try ConnectionOptions(parsing: text)
            return nil
        } catch {
            return Fault(error.message, hint: error.hint)
        }
    }
}

extension Shape<Duration> {
    /// `--lock-wait-timeout` is a `statement_timeout` on the server: a count of milliseconds in 32 bits, in which 0 is no limit.
    fileprivate static var lockTimeout: Shape { duration(atLeast: .milliseconds(1), atMost: .seconds(24 * 86400)) }
}
