import DumpCore

/// How much of a repository is checked.
public enum RepositoryCheck: Sendable, Equatable {
    /// All of the repository's segments and all archives in it, others' too.
    case full
    /// That, and the data of every archive is read, decrypted and compared with its checksum.
    case data
    /// Segments alone, for so long, from where the last such check came to. Borg has no time limit for more than that.
    case part(atMost: Duration)
}

extension RepositoryCheck {
    fileprivate var options: [String] {
        switch self {
        case .full: []
        case .data: ["--verify-data"]
        case .part(let limit): ["--repository-only", "--max-duration", String(max(1, limit.components.seconds))]
        }
    }
}

extension BorgRepository {
    /// Has Borg check the repository. Repairs nothing. Damage is a `BorgError(.damaged)`.
    public func check(_ check: RepositoryCheck) async throws(BorgError) {
        log.info("checking the repository", metadata: ["repository": "\(name)"])
        let outcome = try await run(["check", "--progress"] + check.options)
        let foundErrors = outcome.messages.hasErrors && [.exited(0), .exited(1)].contains(outcome.status)
        if !foundErrors, outcome.status == .exited(0), outcome.messages.warnings.isEmpty { return }
        var error = failure(outcome, "check")
        if foundErrors || error.code == .damaged {
            error.code = .damaged
            error.message = "borg check found damage in repository '\(name)'"
            error.hint =
                "The set in the staging area is intact: archive it to another repository. Copy this one before you have anything repaired."
        }
        throw error
    }
}
