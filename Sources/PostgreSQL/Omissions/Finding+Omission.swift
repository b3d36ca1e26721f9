import DumpCore

extension Finding {
    init(
        _ severity: Severity, _ omission: OmissionCode, object: String, _ message: String, hint: String? = nil
    ) {
        self.init(severity, omission.rawValue, object: object, message, hint: hint)
    }
}

extension DumpError.Code {
    /// The dump would leave out what the job file does not allow it to.
    public static let omissionNotAllowed = DumpError.Code(rawValue: "omission_not_allowed")
}
