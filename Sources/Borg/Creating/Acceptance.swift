import DumpCore
import Processes
import Staging

/// The rule by which an archive counts as a faithful copy of a set, one function for each clause.
///
/// Only Muster writes to a staging area, so every change and every warning that Borg reports is a fault. Borg's exit
/// status alone shows little: 0 for an archive that lacks a file which vanished in time, 1 without any archive at all.
struct Acceptance: Sendable {
    /// The archive's name as we chose it.
    var name: String
    var set: SealedSet

    enum Clause: String, Sendable, CaseIterable {
        case exitStatus = "borg exits with status 0"
        case reported = "Borg reports the archive and its id"
        case files = "no file changed or was unreadable"
        case warnings = "Borg warns of nothing"
        case identity = "the archive of this name is the one Borg reported"
        case listing = "the archive lists exactly the set"
        case manifest = "the archive's manifest is the set's, byte for byte"

        var hint: String {
            switch self {
            case .files, .warnings, .listing: "Find out what else writes to the staging area, then run muster archive."
            case .exitStatus, .reported, .identity, .manifest:
                "Check which borg runs and what it says, see the log with -vv, then run muster archive."
            }
        }
    }

    /// What was read back from the repository.
    struct ReadBack: Sendable {
        var listed: SetComparison.Result
        /// Nil if there is no manifest in the archive.
        var manifestSHA256: String?
    }

    /// A clause that does not hold, and what was found.
    struct Violation: Sendable, Equatable {
        var clause: Clause
        var found: String
    }

    /// The clauses that Borg's own account of the create decides.
    func violations(of outcome: BorgOutcome) -> [Violation] {
        [exitStatus(outcome.status), reported(outcome.output), files(outcome.messages), warnings(outcome.messages)]
            .compactMap { $0 }
    }

    /// The clauses that reading back from the repository decides.
    func violations(reportedID: String, _ readBack: ReadBack) -> [Violation] {
        [identity(reportedID, readBack.listed), listing(readBack.listed), manifest(readBack.manifestSHA256)]
            .compactMap { $0 }
    }

    private func exitStatus(_ status: ProgramOutcome.Status) -> Violation? {
        status == .exited(0) ? nil : Violation(clause: .exitStatus, found: "borg \(status)")
    }

    private func reported(_ output: [UInt8]) -> Violation? {
        guard let archive = CreateDocument(output)?.archive, !archive.id.isEmpty else {
            return Violation(clause: .reported, found: "no archive was reported")
        }
        guard archive.name == name else {
            return Violation(clause: .reported, found: "an archive '\(archive.name)' was reported")
        }
        return nil
    }

    private func files(_ messages: BorgMessages) -> Violation? {
        messages.troubledFiles.isEmpty ? nil : Violation(clause: .files, found: "\(messages.troubledFiles)")
    }

    private func warnings(_ messages: BorgMessages) -> Violation? {
        messages.warnings.isEmpty ? nil : Violation(clause: .warnings, found: "\(messages.warnings)")
    }

    private func identity(_ reportedID: String, _ listed: SetComparison.Result) -> Violation? {
        guard listed.archiveID != reportedID else { return nil }
        return Violation(
            clause: .identity,
            found: "reported \(reportedID), listed \(listed.archiveID ?? "an archive without an entry")")
    }

    private func listing(_ listed: SetComparison.Result) -> Violation? {
        listed.differences.isEmpty ? nil : Violation(clause: .listing, found: "\(listed.differences)")
    }

    private func manifest(_ readBack: String?) -> Violation? {
        guard readBack != set.manifestSHA256 else { return nil }
        return Violation(
            clause: .manifest,
            found: readBack.map { "its SHA-256 is \($0) instead of \(set.manifestSHA256)" }
                ?? "there is none in the archive")
    }
}
