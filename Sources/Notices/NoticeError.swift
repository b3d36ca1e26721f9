import DumpCore

/// Why a receiver was not reached. Nothing in it tells its URL, or what a header holds.
public typealias NoticeError = CodedError<NoticeErrorCode>

public enum NoticeErrorCode: String, ErrorCode {
    /// No answer came from it.
    case notReached = "receiver_not_reached"
    /// It answered with another address, which is not tried.
    case redirected = "receiver_redirects"
    /// It answered, and did not take the notice.
    case refused = "receiver_refused"
    /// The program that should reach it failed.
    case programFailed = "receiver_program_failed"
    /// It took longer than its deadline.
    case tooSlow = "receiver_too_slow"
}
