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
    /// As `borg create --compression` takes it.
    public var compression = "lz4"
    /// How long Borg waits for another's lock on the repository.
    public var lockWait = Duration.seconds(600)

    /// The encryption modes of `borg init`.
    public enum Encryption: String, Sendable, CaseIterable {
        case repokeyBlake2 = "repokey-blake2"
        case repokey
        case keyfileBlake2 = "keyfile-blake2"
        case keyfile
        case authenticatedBlake2 = "authenticated-blake2"
        case authenticated
        case none
    }

    public init() {}
}
