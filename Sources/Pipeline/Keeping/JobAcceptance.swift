import Borg
import Catalog
import DumpCore
import Jobs
import Linux
import Reporting
import Staging

/// What an operator vouches for, noted in the staging area of a job.
public struct JobAcceptance: Sendable {
    let job: ReadyJob

    public init(for job: ReadyJob) { self.job = job }

    /// What an operator vouches for, because it looks wrong and is right: `muster accept`.
    public enum Doubt: String, Sendable, CaseIterable {
        /// The staging directory is that of a job with another name: this job is that one.
        case staging
        /// The repository is at another location than its archives: they stay behind.
        case location
        /// Archives in the repository were not made from this staging directory: they count as the job's own, and may be pruned.
        case archives
        /// The clock jumped, or archives are dated ahead: the clock is right now.
        case clock
    }

    /// What was accepted, a line for each thing, and what failed, if anything.
    public struct Accepted: Sendable {
        public var lines: [String] = []
        public var failure: RunFailure?
    }

    /// Notes what the operator vouches for, holding the lock. Nothing in a repository is changed.
    public func accept(_ doubts: Set<Doubt>) async -> Accepted {
        var accepted = Accepted()
        do {
            let area = try await StagingArea.open(job.staging)
            let lock = try await area.lock(for: RunID(start: .now), command: "muster accept \(job.name)")
            defer { lock.release() }
            let former = try await area.jobRecord()?.job
            try await lock.claim(for: job, takingOver: doubts.contains(.staging))
            if doubts.contains(.staging), former != job.name {
                accepted.lines.append("\(area.root) is the staging directory of job '\(job.name)' now")
            }
            for repository in job.repositories {
                accepted.lines += try await accept(doubts, of: repository, holding: lock)
                    .map { "repository \(repository.name): \($0)" }
            }
        } catch {
            accepted.failure = RunFailure(error, during: .archive)
        }
        return accepted
    }

    private func accept(
        _ doubts: Set<Doubt>, of repository: Job.Repository, holding lock: StagingLock
    ) async throws -> [String] {
        var ledger = try await RepositoryLedger(of: repository.name, in: lock.area)
        var lines: [String] = []
        if doubts.contains(.location), ledger.forgetLocation(unless: repository.settings.location) {
            lines.append("its archives are in \(repository.settings.location) from now on")
        }
        if !doubts.isDisjoint(with: [.archives, .clock]) {
            let holdings = try await job.open(repository).holdings(of: StagingArea.owner(job, in: lock.area))
            if doubts.contains(.archives) { lines += ledger.accept(strange: holdings) }
            if doubts.contains(.clock) { lines += ledger.accept(dates: holdings, at: .now) }
        }
        try await lock.writeRepositoryRecord(of: repository.name, ledger)
        return lines
    }
}

extension RepositoryLedger {
    /// Leaves what is noted of archives at another location behind. Returns whether that was noted.
    fileprivate mutating func forgetLocation(unless location: String) -> Bool {
        guard let noted = self.location, noted != location else { return false }
        (self.location, repository) = (nil, nil)
        return true
    }

    fileprivate mutating func accept(strange holdings: Holdings) -> [String] {
        let holdings = holdings.including(accepted: self)
        return accept(holdings.unknown(to: self) + holdings.archivesOfNamesakes) {
            "archive \($0.name) is the job's own"
        }
    }

    fileprivate mutating func accept(dates holdings: Holdings, at now: ClockReading) -> [String] {
        trust(now)
        let ahead = holdings.including(accepted: self).ahead(of: now.time, knowing: self)
        return ["the clock is right, \(now.time)"]
            + accept(ahead) { "archive \($0.name) stays until its date, and is not counted" }
    }

    private mutating func accept(_ archives: [Archive], _ line: (Archive) -> String) -> [String] {
        acceptedArchives = (acceptedArchives ?? []) + archives.map(\.id)
        return archives.map(line)
    }
}
