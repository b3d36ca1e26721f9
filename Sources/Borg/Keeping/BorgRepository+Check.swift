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
        if outcome.messages.areOnlyOfAuthentication { throw unauthentic(outcome) }
        var error = failure(outcome, "check")
        if foundErrors || error.code == .damaged {
            error.code = .damaged
            error.message = "borg check found damage in repository '\(name)'"
            error.hint = BorgFault.damageHint
        }
        throw error
    }

    /// Borg counts archives that it refuses since 1.2.5 among the damage, and would delete them in a repair.
    private func unauthentic(_ outcome: BorgOutcome) -> BorgError {
        var error = error(of: .archiveNotAuthentic)
        error.context["borg"] = outcome.messages.lastLines.joined(separator: "\n")
        return error
    }
}

extension BorgMessages {
    /// Whether all that was found is archives without the signature that Borg wants.
    fileprivate var areOnlyOfAuthentication: Bool {
        // What such an archive alone refers to counts as orphaned.
        let known = [
            "TAM authentication issue", "This archive would be *removed*", "orphaned objects found",
            "consistency check complete",
        ]
        return lastLines.contains { $0.contains(known[0]) }
            && lastLines.allSatisfy { line in known.contains { line.contains($0) } }
    }
}
