import DumpCore
import Processes

/// Why a repository could not be used, or an archive not be trusted.
public typealias BorgError = CodedError<BorgErrorCode>

public enum BorgErrorCode: String, ErrorCode, CaseIterable {
    /// Borg is missing here or on the server, or is of a version that does not fit.
    case programUnsuitable = "program_unsuitable"
    /// The settings name something that cannot be.
    case settings
    /// There is no repository at the location.
    case repositoryMissing = "repository_missing"
    /// There is something at the location that is not a repository, or only half of one.
    case notARepository = "not_a_repository"
    /// There is something at the location already, where a repository was to be created.
    case locationTaken = "location_taken"
    /// The file system or the server refuses us.
    case accessDenied = "access_denied"
    case passphraseWrong = "passphrase_wrong"
    case passphraseMissing = "passphrase_missing"
    /// The repository's key is missing, or belongs to another repository.
    case keyUnusable = "key_unusable"
    /// Borg is not sure that this is the repository it knows, and wants a person to say so.
    case repositoryUnconfirmed = "repository_unconfirmed"
    /// The repository is not encrypted, and the job does not say that it may be so.
    case notEncrypted = "not_encrypted"
    /// Another process holds the lock.
    case locked
    /// The server cannot be reached, or the connection broke.
    case connectionLost = "connection_lost"
    /// Borg said nothing for too long, and was stopped.
    case stalled
    /// The server shows a host key that ssh does not know, or another than before.
    case hostKeyRefused = "host_key_refused"
    /// The server does not let us in.
    case loginRefused = "login_refused"
    case noSpace = "no_space"
    /// Borg found data that is not what it wrote.
    case damaged
    /// Borg's cache on this host is damaged; it can be made again.
    case cacheDamaged = "cache_damaged"
    /// An archive, or the list of them, is not signed with the repository's key as this Borg wants it.
    case notAuthentic = "not_authentic"
    /// There is an archive of that name already.
    case archiveExists = "archive_exists"
    case archiveMissing = "archive_missing"
    /// The archive is not shown to be a faithful copy of the set.
    case notFaithful = "not_faithful"
    /// The archive's manifest was written by a newer Muster.
    case newerFormat = "newer_format"
    /// What is to be deleted would leave no archive that is known to be good.
    case pruneRefused = "prune_refused"
    /// Borg was ended by a signal that did not come from us.
    case killed
    /// Anything else that Borg reports.
    case failed
    /// Our task was cancelled; Borg has been stopped.
    case cancelled
}

extension BorgErrorCode {
    /// What other Borgs and networks do passes. What is wrong with a passphrase, a login, a disk or the data stays.
    public var isTransient: Bool { self == .locked || self == .connectionLost }
}

/// An archive that may exist and must not be trusted: it could not be confirmed, nor deleted.
struct UntrustedArchive: Error {
    var name: String
    /// What the error came from.
    var cause: (any Error)?
}

extension BorgError {
    /// The name of an archive that may exist and must not be trusted.
    public var untrustedArchive: String? { (underlying as? UntrustedArchive)?.name }

    /// The error that this one came from.
    public var cause: (any Error)? { (underlying as? UntrustedArchive).map(\.cause) ?? underlying }

    init(_ error: ProcessError) {
        let code: Code =
            switch error.code {
            case .programNotFound: .programUnsuitable
            case .cancelled: .cancelled
            default: .failed
            }
        self.init(code, error)
    }
}
