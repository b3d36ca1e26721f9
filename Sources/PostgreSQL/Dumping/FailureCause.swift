import DumpCore

/// What lies behind a message of libpq, the server or a program, and what to do about it.
///
/// Neither a failed connection nor pg_dump tells us the SQLSTATE, so this reads text. A server that speaks another language
/// than English (`lc_messages`) is understood less well: the error then still shows all that was said, without a hint.
struct FailureCause: Sendable {
    var code: DumpError.Code
    var hint: String
    var isTransient = false

    /// The cause of a connection that was not made.
    static func ofConnecting(_ said: String) -> FailureCause? {
        first(of: starting, in: said).map { FailureCause(code: .sourceUnavailable, hint: $0, isTransient: true) }
            ?? first(of: connecting, in: said).map { FailureCause(code: .sourceUnavailable, hint: $0) }
    }

    /// The cause that a dump program gives for its failure on standard error.
    static func ofDumping(_ said: String) -> FailureCause? {
        if programIsOutOfSpace(said) {
            return FailureCause(code: .noSpace, hint: freeSpaceHint)
        }
        return first(of: passing, in: said).map { FailureCause(code: .programFailed, hint: $0, isTransient: true) }
            ?? first(of: dumping, in: said).map { FailureCause(code: .programFailed, hint: $0) }
            ?? first(of: losing, in: said).map { FailureCause(code: .sourceUnavailable, hint: $0, isTransient: true) }
            ?? ofConnecting(said)
    }

    /// Whether it was the program that found its disk full, and not the server, which says so in an `ERROR:`.
    private static func programIsOutOfSpace(_ said: String) -> Bool {
        said.split(atASCII: "\n").contains { line in
            (line.contains("No space left on device") || line.contains("Disk quota exceeded"))
                && !line.contains("ERROR:")
        }
    }

    private static func first(of causes: [(String, String)], in said: String) -> String? {
        causes.first { said.contains($0.0) }?.1
    }

    static let freeSpaceHint = "Free space there, or put the staging area on a larger file system."

    /// What may be over when the dump is begun anew.
    private static let passing = [
        (
            "could not obtain lock on relation",
            "Another session waits for an exclusive lock on that table. Dump when nothing alters tables."
        ),
        (
            "conflict with recovery",
            "Raise max_standby_streaming_delay on the standby or set hot_standby_feedback there, or dump the primary."
        ),
        (
            "invalid snapshot identifier",
            "The session that held the snapshot was lost: see the server's log. Then run it again."
        ),
    ]

    private static let dumping = [
        (
            "permission denied for large object",
            "Dump as a superuser: before PostgreSQL 19, pg_read_all_data does not extend to large objects."
        ),
        (
            "permission denied",
            "Grant the role what it lacks: GRANT pg_read_all_data TO it (PostgreSQL 14 and newer), or dump as a superuser."
        ),
        (
            "statement timeout",
            "Another session holds a lock on that table that shuts out readers; pg_locks shows who. "
                + "Raise lock_timeout, or dump when nothing alters tables."
        ),
        (
            "max_locks_per_transaction",
            "Raise max_locks_per_transaction on the server: a dump locks every table of its database at once."
        ),
        ("row-level security", "Give the role BYPASSRLS, or dump as a superuser: it may not see every row."),
        ("does not exist", "It was dropped or renamed after the run had begun. Run it again."),
        (
            "server version mismatch",
            "Install the client programs of the server's major version, or name them with bin_directory."
        ),
    ]

    private static let losing = [
        ("server closed the connection unexpectedly", serverWent),
        ("terminating connection due to administrator command", serverWent),
        ("connection to server was lost", serverWent),
    ]

    private static let starting = [
        ("the database system is", "Wait until the server has started, then run it again.")
    ]

    private static let connecting = [
        (
            "password authentication failed",
            "Check the role's name and the password that 'password:' in the job file leads to."
        ),
        (
            "no password supplied",
            "Give the password with 'password: {file: PATH}' or 'password: {command: COMMAND}' in the job file."
        ),
        (
            "Peer authentication failed",
            "Set run_as to the system user that the role belongs to; Muster must run as root or as that user."
        ),
        ("no pg_hba.conf entry", "Let the role in with a line in the server's pg_hba.conf, and reload it."),
        ("too many clients already", tooManyConnections),
        ("remaining connection slots are reserved", tooManyConnections),
        ("too many connections for", tooManyConnections),
        (
            "does not exist",
            "Name the role with user= and a database that is there with dbname= in 'connection:'."
        ),
        ("No such file or directory", unreachable),
        ("Connection refused", unreachable),
        ("could not translate host name", unreachable),
        ("timeout expired", unreachable),
        ("No route to host", unreachable),
    ]

    private static let unreachable =
        "Check that the server is running, and host and port in 'connection:'."
    private static let serverWent =
        "The server was stopped or crashed, or the network was cut: see the server's log. Then run it again."
    private static let tooManyConnections =
        "Raise max_connections or the role's connection limit, or lower 'parallel:' in the job file."
}
