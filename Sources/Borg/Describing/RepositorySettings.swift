import DumpCore
import SystemPackage

/// What a job file says of one repository.
public struct RepositorySettings: Sendable, Equatable {
    /// What Borg calls a repository: a path, `user@host:path` or `ssh://…`.
    public var location = ""
    /// The borg executable, a name to look up in `PATH` or a path.
    public var program = "borg"
    /// The borg command on the other side (`BORG_REMOTE_PATH`), such as rsync.net's `borg14`.
    public var remotePath: String?
    public var passphrase: SecretSource?
    /// Create the repository with this encryption when, and only when, it does not exist.
    public var initialize: Encryption?
    /// That the repository may be without encryption; nil if it may not, unless it is created so.
    public var encryption: AcceptedEncryption?
    /// Where the repository's key is exported to, once.
    public var keyExport: FilePath?
    public var creation = CreateOptions()
    /// How long Borg waits for another's lock on the repository.
    public var lockWait = Duration.seconds(600)
    /// How ssh reaches the server; nil is as ssh itself is set up. Only for a repository on a server.
    public var ssh: SSHSettings?
    /// How often an archive is retried after a transient failure: a lock, a lost connection.
    public var retry = Retry(times: 3, wait: .seconds(30))
    /// How long a Borg may say nothing before it is stopped and fails; longer than `lockWait`. Nil is for ever.
    public var stallTimeout: Duration? = .seconds(1800)

    /// Which archives of the job stay; nil never prunes.
    public var keep: Retention?
    /// When a run checks the repository; nil never does.
    public var check: CheckSchedule?
    /// How old the last confirmed archive may become before the job counts as failed; nil is as for the job.
    public var alertAfter: Duration?

    /// The encryption modes of `borg init` and, where Borg 2 has others, of its `repo-create`. Which of them a Borg has is in
    /// `BorgVersion.initialization(with:)`.
    public enum Encryption: String, Sendable, CaseIterable {
        case repokeyBlake2 = "repokey-blake2"
        case repokey
        case keyfileBlake2 = "keyfile-blake2"
        case keyfile
        case authenticatedBlake2 = "authenticated-blake2"
        case authenticated
        case none
        case repokeyAES = "repokey-aes256-ocb"
        case repokeyChaCha = "repokey-chacha20-poly1305"
        case keyfileAES = "keyfile-aes256-ocb"
        case keyfileChaCha = "keyfile-chacha20-poly1305"
    }

    /// An encryption of a repository that is there already.
    public enum AcceptedEncryption: String, Sendable, CaseIterable { case none }

    public init() {}
}
