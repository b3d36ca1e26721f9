import DumpCore
import Processes

/// One kind of failure as Borg reports it.
///
/// Borg 1.2 and 1.4 name it by the same message ids, 1.4 also by exit status (docs/internals/frontends.rst of 1.4). The
/// texts of its messages change and are looked at only where there is nothing else: see `ofSystem`, `ofServer` and `byText`.
struct BorgFault: Sendable {
    var ids: Set<String>
    var statuses: Set<Int32>
    var code: BorgError.Code
    /// What happened; the repository's name comes where `%` stands.
    var message: String
    var hint: String

    init(_ ids: Set<String>, _ statuses: Set<Int32>, _ code: BorgError.Code, _ message: String, hint: String) {
        self.ids = ids
        self.statuses = statuses
        self.code = code
        self.message = message
        self.hint = hint
    }

    static func of(messageID: String?, status: ProgramOutcome.Status) -> BorgFault? {
        if let messageID, let fault = table.first(where: { $0.isNamed(messageID) }) { return fault }
        guard case .exited(let status) = status else { return nil }
        return table.first { $0.statuses.contains(status) }
    }

    /// Borg 1.2 calls some errors of a server by the last part of their names: `StorageQuotaExceeded`.
    private func isNamed(_ id: String) -> Bool { ids.contains(id) || ids.contains("Repository." + id) }

    static let repositoryMissing = BorgFault(
        ["Repository.DoesNotExist"], [13], .repositoryMissing, "repository % does not exist",
        hint: "Check its location, or set initialize: to have it created.")

    static let passphraseMissing = BorgFault(
        ["NoPassphraseFailure", "PasscommandFailure"], [50, 51], .passphraseMissing,
        "repository % is encrypted and needs a passphrase", hint: "Set passphrase: to where it is kept.")

    static let table: [BorgFault] = [
        repositoryMissing,
        BorgFault(
            ["Repository.AlreadyExists", "Repository.PathAlreadyExists"], [10, 19], .locationTaken,
            "repository % cannot be created: there is something at its location",
            hint: "Name another location. Muster leaves what is there alone: look at it before you move it."),
        parentMissing,
        BorgFault(
            [
                "Repository.InvalidRepository", "Repository.InvalidRepositoryConfig", "Repository.AtticRepository",
                "NoManifestError",
            ], [11, 15, 16, 26], .notARepository,
            "what is at the location of repository % is not a repository that Borg can open",
            hint:
                "Check the location, and that its disk is mounted and whole. Move nothing away before you know that no archives are in it."
        ),
        BorgFault(
            ["Repository.PathPermissionDenied", "PathNotAllowed"], [21, 83], .accessDenied,
            "access to the location of repository % is denied",
            hint: "Check the permissions there and, on a server, which paths its borg serve allows."),
        BorgFault(
            ["LockFailed"], [72], .accessDenied, "repository % cannot be locked",
            hint: "Check that this user may write there, and that the disk is not full."),
        BorgFault(
            ["LockTimeout", "LockError", "LockErrorT", "NotLocked", "NotMyLock"], [70, 71, 73, 74, 75], .locked,
            "repository % is locked by another Borg",
            hint:
                "Wait for the other one, or raise lock_wait:. If that one has died, on whichever host: muster borg % -- break-lock."
        ),
        BorgFault(
            ["PassphraseWrong", "PasswordRetriesExceeded"], [52, 53], .passphraseWrong,
            "the passphrase of repository % is wrong",
            hint: "Check what passphrase: names, and that location: names the repository it belongs to."),
        passphraseMissing,
        BorgFault(
            ["KeyfileNotFoundError", "KeyfileInvalidError", "KeyfileMismatchError", "RepoKeyNotFoundError"],
            [40, 41, 42, 44], .keyUnusable, "the key of repository % is missing or belongs to another one",
            hint:
                "Bring it back with borg key import. Borg looks for key files in ~/.config/borg/keys or BORG_KEYS_DIR."),
        BorgFault(
            ["Cache.CacheInitAbortedError"], [60], .repositoryUnconfirmed,
            "repository % is not encrypted, and this host has not used it before",
            hint: "If it is the right one, set BORG_UNKNOWN_UNENCRYPTED_REPO_ACCESS_IS_OK=yes for one run."),
        BorgFault(
            ["Cache.RepositoryAccessAborted"], [62], .repositoryUnconfirmed,
            "repository % was at another location when this host used it last",
            hint: "If it was moved, set BORG_RELOCATED_REPO_ACCESS_IS_OK=yes for one run."),
        BorgFault(
            ["Cache.EncryptionMethodMismatch"], [61], .repositoryUnconfirmed,
            "repository % is encrypted in another way than when this host used it last",
            hint: "Another repository is in its place. Find out who put it there before anything is written to it."),
        setBack,
        connectionLost,
        BorgFault(
            ["UnexpectedRPCDataFormatFromServer", "UnexpectedRPCDataFormatFromClient"], [85, 86], .programUnsuitable,
            "what answers at the server of repository % is not Borg",
            hint: "A login script there may print something, or remote_path: name another program."),
        BorgFault(
            ["RemoteRepository.RPCServerOutdated", "InvalidRPCMethod"], [82, 84], .programUnsuitable,
            "Borg at the server of repository % is too old", hint: "Install a newer one there, or set remote_path:."),
        BorgFault(
            ["MandatoryFeatureUnsupported", "UnsupportedManifestError", "UnsupportedPayloadError"], [25, 27, 48],
            .programUnsuitable, "repository % was made by a newer Borg",
            hint: "Install a newer one, or set borg: to one."),
        BorgFault(
            ["Repository.InsufficientFreeSpaceError", "Repository.StorageQuotaExceeded"], [14, 20], .noSpace,
            "there is no space left for repository %", hint: roomHint),
        BorgFault(
            [
                "Repository.CheckNeeded", "Repository.ObjectNotFound", "IntegrityError", "FileIntegrityError",
                "DecompressionError",
            ], [12, 17, 90, 91, 92], .damaged, "Borg found damage in repository %", hint: damageHint),
        archiveNotAuthentic,
        BorgFault(
            ["TAMInvalid", "TAMRequiredError", "TAMUnsupportedSuiteError"], [97, 98, 99], .notAuthentic,
            "the list of archives in repository % is not authenticated with its key",
            hint:
                "A Borg before 1.0.9 wrote to it, or one without the key. Find out which, and delete or repair nothing before."
        ),
        BorgFault(
            ["Archive.AlreadyExists"], [30], .archiveExists, "repository % has an archive of this name",
            hint:
                "Is another repository of the job the same repository under another name? Otherwise run again: the name holds the time."
        ),
        archiveMissing,
    ]

    /// Borg refuses a repository that is older than what it noted of it on this host, and each of two copies of one repository that are both
    /// written to. What it noted is the newer time in `manifest-timestamp` and in its cache (cache.py of 1.2 and 1.4; "this is either an
    /// attack or unsafe" in the FAQ of Borg). `nonce` beside that file has to stay: with a number that was used before, the encryption of
    /// Borg 1 can be broken.
    static let setBack = BorgFault(
        ["Cache.RepositoryIDNotUnique", "Cache.RepositoryReplay"], [63, 64], .repositoryUnconfirmed,
        "repository % is older than this host left it: it was set back, or there are two copies of it",
        hint:
            "Who did that? Unless you know, write nothing to it: it may be an attack. If you brought it back from a copy, run: "
            + "muster borg % -- delete --cache-only; rm \(timestampFile)"
    )

    /// Stands in a hint for the file in which Borg notes how new a repository was.
    static let timestampFile = "%timestamp"

    static let parentMissing = BorgFault(
        ["Repository.ParentPathDoesNotExist"], [18], .settings,
        "repository % cannot be created: its parent directory does not exist",
        hint: "Check its location and that its disk is mounted, or create the directory.")

    static let archiveMissing = BorgFault(
        ["Archive.DoesNotExist"], [31], .archiveMissing, "repository % has no archive of this name",
        hint: "To see them: muster list.")

    /// Borg 1.2.5 and newer refuse what older ones have renamed or recreated, and what carries no signature at all. `check` calls that a
    /// problem too, and its repair deletes the archive.
    static let archiveNotAuthentic = BorgFault(
        ["ArchiveTAMInvalid", "ArchiveTAMRequiredError"], [95, 96], .notAuthentic,
        "an archive in repository % is not authenticated as Borg 1.2.5 and newer want it (CVE-2023-36811)",
        hint:
            "A Borg before 1.2.5 renamed, recreated or made it. Never repair the repository for that: Borg would delete the archive. "
            + "If every archive in it is yours and all hosts have a newer Borg, run: muster borg % -- upgrade --archives-tam"
    )

    /// To Borg 2, an archive that is not there is a command that was wrong.
    static func byText(_ lines: [String]) -> BorgFault? {
        lines.contains { $0.contains("one archive, but matched 0.") } ? archiveMissing : nil
    }

    static let roomHint =
        "Make room: remove other files there, or enlarge it. Once Borg has a little, delete archives that you do not need "
        + "and compacted away."
    static let damageHint =
        "The set in the staging area is intact: archive it to another repository. Look at the disk, and copy this repository "
        + "before you repair anything: a repair deletes what it cannot read."

    static let connectionLost = BorgFault(
        ["ConnectionClosed", "ConnectionClosedWithHint", "ConnectionBrokenWithHint"], [80, 81, 87], .connectionLost,
        "the connection to repository % failed or broke",
        hint: "Try ssh to its server as this user: it must need no password, and borg must be there.")

    /// A fault that has neither an id nor a status.
    init(_ code: BorgError.Code, _ message: String, hint: String) {
        self.init([], [], code, message, hint: hint)
    }
}
