import DumpCore
import SystemPackage

/// Why a checksum could not be made, or a list of them not be read.
public struct ChecksumError: OperatorError, Sendable {
    public enum Code: String, Sendable {
        /// The file is not there, or the operating system refused to open or read it.
        case cannotRead = "cannot_read"
        /// It is no regular file.
        case notAFile = "not_a_file"
        /// The file changed while it was read: its digest would be that of no state it ever had.
        case changed
        /// What should be a list of checksums is not one.
        case malformedList = "malformed_list"
        /// libcrypto refused to make a SHA-256.
        case libraryFailed = "library_failed"
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
