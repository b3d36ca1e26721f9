import Documents
import DumpCore
import Linux
import Logging
import Reporting
import Staging
import SystemPackage

/// The published set, lent to another program: shown to be good, and locked against change as long as `lock` is held.
///
/// It is good if it is whole, comes from the last run that dumps, and is no older than asked for. It does not matter that Borg failed in
/// that run.
public struct LentSet: Sendable {
    public let set: SealedSet
    public let lock: StagingReadLock

    /// Takes the lock and looks at the set. Throws `StagingError` or, for a set that is not good, `DumpError`.
    ///
    /// - Parameters:
    ///   - job: whose set it should be.
    ///   - borrower: who reads, for the message that a run gets. No secrets.
    ///   - patience: how long to wait for a run to end.
    ///   - maxAge: how long ago the set's dumps may have been frozen; nil for no limit.
    public static func lend(
        from staging: FilePath, of job: String, _ file: FilePath? = nil, to borrower: String, patience: Duration,
        maxAge: Duration?, log: Logger
    ) async throws -> LentSet {
        guard let area = try await StagingArea.openExisting(staging) else { throw noSet(in: staging) }
        let lock = try await lock(area, for: borrower, patience, log)
        try await area.requireJob(job, file: file)
        guard let set = try await area.verifiedSet() else { throw noSet(in: staging) }
        let lent = LentSet(set: set, lock: lock)
        try await lent.requireNoRunThatFailed(in: area)
        if let maxAge { try lent.requireYoungerThan(maxAge, at: .now) }
        try await lent.requireKept(in: area)
        return lent
    }

    private static func lock(
        _ area: StagingArea, for borrower: String, _ patience: Duration, _ log: Logger
    ) async throws -> StagingReadLock {
        do {
            return try await area.lockForReading(command: borrower)
        } catch {
            guard error.code == .locked && patience > .zero else { throw error }
            log.notice("waiting for a run to end", metadata: ["why": "\(error.message)"])
            return try await area.lockForReading(command: borrower, patience: patience)
        }
    }

    /// Throws if a run after the set's own took its dumps and did not publish them.
    private func requireNoRunThatFailed(in area: StagingArea) async throws {
        let own = set.manifest.runID
        // No run is at work now. Whatever is still being built was left by a run that was killed and wrote no report.
        if let killed = try await area.begunRuns().first(where: { $0 != own }) {
            throw failed(killed, "was killed")
        }
        for report in try await area.reports() where report.run != own {
            guard let run = try? SnakeCaseJSON.decode(RunReport.self, from: report.bytes) else {
                guard report.run.description > own.description else { continue }
                throw failed(report.run, "left a report that this Muster cannot read")
            }
            guard run.takesDumps, run.startedAt >= set.manifest.startedAt else { continue }
            guard let status = run.exitStatus else { throw failed(run.runID, "was killed") }
            throw failed(run.runID, "ended with status \(status)", run.error?.message)
        }
    }

    private func failed(_ run: RunID, _ how: String, _ reason: String? = nil) -> DumpError {
        var context: ErrorContext = [
            "run": "\(run)", "set": "\(set.manifest.runID), \(set.manifest.freeze.from.local)",
        ]
        context["reason"] = reason
        return DumpError(
            .lastRunFailed, "the last run that dumps \(how): the set in \(set.root) is of a run before it",
            hint: "Find out why with muster status, then take a new set with muster run or muster dump.",
            context: context)
    }

    private func requireYoungerThan(_ maxAge: Duration, at now: Timestamp) throws {
        let frozen = set.manifest.freeze.from
        let age = Duration.milliseconds(now.milliseconds - frozen.milliseconds)
        guard age < .zero || age > maxAge else { return }
        let found = age < .zero ? "is dated in the future" : "is older than max_age allows"
        throw DumpError(
            .tooOld, "the set in \(set.root) \(found): it holds what was there at \(frozen.local)",
            hint: age < .zero
                ? "Check the clock of this host." : "Take a new set with muster run or muster dump, or raise max_age.",
            context: ["max_age": "\(maxAge)"])
    }

    /// Throws unless the snapshots are kept that the borrower is to read besides the set.
    private func requireKept(in area: StagingArea) async throws {
        let kept = try await area.undoRecords().filter { $0.isKept == true && $0.run == set.manifest.runID }
        for dump in set.manifest.dumps {
            guard let reference = dump.tree?.reference else { continue }
            // Every record outlives a start of the system, and no mount does. The tree held something.
            if kept.contains(where: { $0.dump == dump.name }),
                await onOwnThread({ (try? FileSystem.names(in: FilePath(reference)))?.isEmpty == false })
            {
                continue
            }
            throw DumpError(
                .released, "nothing is kept at \(reference), where dump '\(dump.name)' of the set was to be read",
                hint: "Take a new set with muster dump, which keeps it until muster release.")
        }
    }

    private static func noSet(in staging: FilePath) -> DumpError {
        DumpError(
            .noSet, "no set has been published in \(staging)", hint: "Run 'muster dump' or 'muster run' first.")
    }
}

extension RunReport {
    /// Whether the run was to publish a set.
    fileprivate var takesDumps: Bool { command != RunReport.Part.archive.rawValue }
}

extension DumpErrorCode {
    /// Nothing was published yet.
    static let noSet = Self(rawValue: "no_set")
    /// The set is not of the last run that dumps.
    static let lastRunFailed = Self(rawValue: "last_run_failed")
    static let tooOld = Self(rawValue: "too_old")
    /// A snapshot that Borg reads in place was given back.
    public static let released = Self(rawValue: "released")
}
