import DumpCore
import SystemPackage

/// Why a checksum could not be made, or a list of them not be read.
public typealias ChecksumError = CodedError<ChecksumErrorCode>

public enum ChecksumErrorCode: String, ErrorCode {
    /// The file is not there, or the operating system refused to open or read it.
    case cannotRead = "cannot_read"
    /// It is not a regular file.
    case notAFile = "not_a_file"
    /// The file changed while it was read: its digest would be that of no state it ever had.
    case changed
    /// What should be a list of checksums is not one.
    case malformedList = "malformed_list"
    /// libcrypto refused to make a SHA-256.
    case libraryFailed = "library_failed"
}
