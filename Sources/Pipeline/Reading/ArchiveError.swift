import DumpCore

/// Why an archive could not be found, or nothing be taken out of it.
public struct ArchiveError: OperatorError, Sendable {
    public enum Code: String, Sendable {
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

    public var code: Code
    public var message: String
    public var hint: String?
    public var context: ErrorContext
    public var underlying: (any Error)?

    public var codeName: String { code.rawValue }

    public init(
        _ code: Code, _ message: String, hint: String? = nil, context: ErrorContext = [:],
        underlying: (any Error)? = nil
    ) {
        self.code = code
        self.message = message
        self.hint = hint
        self.context = context
        self.underlying = underlying
    }
}
