import DumpCore

/// What the job file says of omissions: `allow_omissions` accepts some, and `strict` refuses all others.
struct OmissionPolicy: Sendable {
    var allowed: [OmissionCode]
    var isStrict: Bool

    /// The same omissions, with the severity that they have for this job.
    ///
    /// What makes pg_dump itself fail cannot be accepted.
    func judged(_ omissions: [Finding]) -> [Finding] {
        omissions.map { omission in
            var judged = omission
            if isAllowed(omission) {
                judged.severity = .note
            } else if isStrict, omission.severity < .failure {
                judged.severity = .failure
                let accept = "Or accept it with 'allow_omissions: [\(omission.code)]', as the job is strict."
                judged.hint = omission.hint.map { "\($0) \(accept)" } ?? accept
            }
            return judged
        }
    }

    /// Throws when the dump leaves out something that it must not.
    ///
    /// - Parameter omissions: as they were judged.
    func requireAllowed(_ omissions: [Finding]) throws(DumpError) {
        let refused = omissions.filter { $0.severity == .failure }
        guard let first = refused.first else { return }
        var context: ErrorContext = ["code": first.code, "object": first.object]
        for other in refused.dropFirst() { context["\(other.code) \(other.object)"] = other.message }
        throw DumpError(.omissionNotAllowed, first.message, hint: first.hint, context: context)
    }

    private func isAllowed(_ omission: Finding) -> Bool {
        omission.severity < .failure && allowed.contains { $0.rawValue == omission.code }
    }
}
