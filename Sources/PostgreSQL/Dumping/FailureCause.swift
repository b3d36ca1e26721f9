import DumpCore

/// What causes a message of libpq, the server or a program, and what to do about it.
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
            ?? (isOfConnecting(said) ? ofConnecting(said) : nil)
    }

    /// Whether a program did not get as far as asking the server: words such as 'No such file' mean something else then.
    private static func isOfConnecting(_ said: String) -> Bool {
        ["connection to server", "could not connect", "could not translate host name", "FATAL:"].contains {
            said.contains($0)
        }
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

    static let recoveryHint =
        "Raise max_standby_streaming_delay on the standby or set hot_standby_feedback there, or dump the primary."
    static let droppedHint = "It was dropped or renamed during the run. Run it again."
    static let freeSpaceHint = "Free space there, or put the staging area on a larger file system."

    /// What may be over by the next attempt.
    private static let passing = [
        (
            "canceling statement due to user request",
            "Another session cancelled pg_dump's statement (pg_cancel_backend): find out which."
        ),
        (
            "cache lookup failed for",
            "Something was dropped while pg_dump looked at it. Run it again; if that fails too, the catalog is damaged: run pg_amcheck."
        ),
        (
            "could not obtain lock on relation",
            "Another session waits for an exclusive lock on that table. Dump when nothing alters tables."
        ),
        (
            "conflict with recovery", recoveryHint
        ),
        (
            "invalid snapshot identifier",
            "The session that held the snapshot was lost: see the server's log. Then run it again."
        ),
    ]

    private static let dumping =
        damage + unfitServer + [
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
            ("does not exist", droppedHint),
            (
                "server version mismatch",
                "Install the client programs of the server's major version, or name them with bin_directory."
            ),
        ]

    /// What a server says that finds its own files damaged.
    private static let damage = [
        "could not open file \"base/", "could not open file \"global/", "could not open file \"pg_tblspc/",
        "could not read block", "could not read blocks", "invalid page in block", "page verification failed",
        "missing chunk number",
        "unexpected chunk number", "unexpected chunk size", "compressed pglz data is corrupt",
        "compressed lz4 data is corrupt",
        "could not access status of transaction", "could not open relation mapping file",
        "found xmin", "unexpected data beyond EOF", "invalid toast", "contains unexpected zero page",
        "contains corrupted page",
    ].map { ($0, damagedData) }

    private static let damagedData =
        "Data on the server are damaged: keep the existing sets, find out whether its disk fails (dmesg, smartctl), run pg_amcheck, "
        + "and restore what is damaged from an older set."

    /// What stands in the way of a dump on the server's side.
    private static let unfitServer = [
        ("could not access file \"", libraryMissing),
        ("could not load library", libraryMissing),
        ("could not find function", libraryMissing),
        ("invalid memory alloc request size", hugeRow),
        ("Cannot enlarge string buffer", hugeRow),
        ("string buffer exceeds maximum allowed length", hugeRow),
        (
            "could not resize shared memory segment",
            "The server's /dev/shm is full: enlarge it (a container's --shm-size), or set max_parallel_workers_per_gather to 0 for the role."
        ),
        ("No space left on device", "The disk of the server itself is full: free space there."),
    ]

    private static let libraryMissing =
        "A library of the server is missing: install the package of that extension on the server's host again, in the version that the "
        + "database was made with."
    private static let hugeRow =
        "A row takes more than 1 GB as text (a bytea takes twice its size), which no server can send: find it with "
        + "max(pg_column_size(…)), and split it or store it as a large object. If no row is that large, its data are damaged: run pg_amcheck."

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
        ("no pg_hba.conf entry", notLetIn),
        ("pg_hba.conf rejects connection", notLetIn),
        ("too many clients already", tooManyConnections),
        ("remaining connection slots are reserved", tooManyConnections),
        ("too many connections for", tooManyConnections),
        (
            "role \"root\" does not exist",
            "Set run_as to the system user that the server's role belongs to, usually postgres, or name a role with user= in 'connection:'."
        ),
        (
            "is not permitted to log in",
            "Allow it: ALTER ROLE … LOGIN, or name another role with user= in 'connection:'."
        ),
        ("role \"", "Name the role with user= in 'connection:', or set run_as to the system user that it belongs to."),
        ("does not exist", "Name a database that is there with dbname= in 'connection:'."),
        ("No such file or directory", unreachable),
        ("Connection refused", unreachable),
        ("could not translate host name", unreachable),
        ("timeout expired", unreachable),
        ("No route to host", unreachable),
    ]

    private static let unreachable =
        "Check that the server is running, and host and port in 'connection:'."
    private static let notLetIn =
        "Let the role in with a line in the server's pg_hba.conf and reload it, or leave the database out with 'databases: {exclude: [NAME]}'."
    private static let serverWent =
        "The server was stopped or crashed, or the network was cut: see the server's log. Then run it again."
    static let tooManyConnections =
        "Raise max_connections or the role's connection limit, or lower 'parallel:' in the job file."
}
