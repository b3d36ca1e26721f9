import DumpCore
import Settings
import SystemPackage

/// What a job file says of one dump of kind `postgresql`.
public struct PostgreSQLSettings: Sendable, Equatable {
    /// Any libpq connection string, `key=value` or URI, without a password. Empty means libpq's own defaults.
    public var connection = ""
    public var password: SecretSource?
    /// The container that the server runs in, whose socket is to be connected to.
    public var container: ContainerSettings?
    /// The user that libpq, pg_dump and the other programs act as, for peer authentication. Needs root, unless it is our own.
    public var runAs: String?
    /// Which databases, by globs in which `*` stands for any characters and `?` for one. A name without either must exist.
    public var include = ["*"]
    public var exclude: [String] = []
    public var layout = Layout.databases
    public var growth = Growth.plain
    /// How old the whole copy of a table may become that its changes are stored against.
    public var growthMaxAge = Duration.seconds(90 * 86400)
    public var consistency = Consistency.best
    /// How often and how long the databases are frozen again when they were not all frozen at one instant.
    public var freezeAttempts = 500
    public var freezeTime = Duration.seconds(5)
    /// How much of the connections that the server has free the dump may take, in percent.
    public var connectionShare = 50
    /// Whether replay on a standby is paused for the freeze, or for the dump, so that all databases are as of one instant.
    public var pausesReplay = false
    /// How long it may stay paused.
    public var pauseLimit = Duration.seconds(3600)
    /// How long pg_dump waits for a table that is locked before it fails.
    public var lockTimeout = Duration.seconds(300)
    /// How long a pg_dump may stand still, on the server and on disk, before it is stopped and fails; nil is for ever.
    public var stallTimeout: Duration? = .seconds(1800)
    /// How long a pg_dump may last before its tables are watched. No key of job files.
    ///
    /// Most have ended by then, and are compared at their end: looking would cost the server as much as a small dump. When tables have changed,
    /// so much is dumped in vain at the most.
    var unwatched = Duration.seconds(3)
    /// How long the whole dump may take before it is stopped and fails; nil for no limit.
    public var deadline: Duration? = .seconds(24 * 3600)
    /// Where pg_dump, pg_dumpall and pg_restore are. If nil, Muster looks in the usual places for programs of the server's own major
    /// version, else of the next newer one.
    public var binDirectory: FilePath?

    /// Whether the server's settings files are copied into the dump.
    public var copiesSettings = false
    /// What the dump may leave out without anyone being warned.
    public var allowedOmissions: [OmissionCode] = []
    /// Whether anything else that it would leave out makes it fail.
    public var isStrict = false

    public enum Layout: String, Sendable, CaseIterable {
        /// One pg_dump in directory format for each database, beside the roles and tablespaces of the cluster.
        case databases
        /// One `all.sql` of pg_dumpall for the whole cluster.
        case cluster
    }

    public enum Growth: String, Sendable, CaseIterable {
        /// Each table is a file, as pg_dump writes it.
        case plain
        /// Large tables are stored as rows, and from then on as what has changed of them.
        case delta
    }

    public enum Consistency: String, Sendable, CaseIterable {
        /// All databases as of one instant if that can be had, else within a window that is recorded.
        case best
        /// A window is a failure.
        case exact
    }

    public init() {}
}
