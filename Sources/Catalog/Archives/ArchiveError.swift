import DumpCore

/// Why an archive could not be found, or nothing be taken out of it.
public typealias ArchiveError = CodedError<ArchiveErrorCode>

public enum ArchiveErrorCode: String, ErrorCode {
    /// No repository of the job has such an archive.
    case missing = "archive_missing"
    /// More than one set is meant.
    case ambiguous
    /// There is no archive that was confirmed.
    case nothingConfirmed = "nothing_confirmed"
    /// The archive does not hold what was asked for.
    case notInArchive = "not_in_archive"
    /// The directory to extract into cannot be used.
    case target
    case noSpace = "no_space"
    /// What was extracted is not what was sealed.
    case notVerified = "not_verified"
    /// The operating system refused something.
    case system
}
