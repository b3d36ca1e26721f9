import Borg
import Documents
import DumpCore
import Linux
import Staging

/// What this host knows about the archives in one repository, `repositories/<name>.json` in the staging area.
///
/// An archive is noted before Borg begins it, and noted as confirmed once it was shown to hold its set. So an archive that a crash leaves
/// is known to be unconfirmed. An archive in neither list was not made here, or its note is lost.
public struct RepositoryLedger: Sendable, Codable {
    public struct Begun: Sendable, Codable, Hashable {
        public var archive: String
        /// As Borg has it, see `Provenance`.
        public var comment: String
        public var beganAt: Timestamp
    }

    public struct Confirmed: Sendable, Codable, Hashable {
        public var archive: String
        /// Borg's.
        public var id: String
        public var runID: RunID
        public var confirmedAt: Timestamp
        /// Counts the confirmed archives of the job, over all its repositories: no clock can turn their order. Nil from Muster 0.1.0.
        public var number: Int?
        /// The id of the repository that it is in, as Borg has it. Nil from Muster 0.1.0.
        public var repositoryID: String?
        /// The comment of the archive, as Borg has it, see `Provenance`. Nil from Muster 0.1.0.
        public var comment: String?
    }

    public var formatVersion = 1
    /// Neither confirmed nor shown to be gone: not to be trusted.
    public var begun: [Begun] = []
    /// In the order in which they were confirmed.
    public var confirmed: [Confirmed] = []
    /// When the run began that last had Borg check the repository, of whatever kind, and no damage was found.
    public var lastCheckAt: Timestamp?
    /// The same of the last check of all data.
    public var lastDataVerificationAt: Timestamp?

    /// The runs whose sets Borg may know files of, by path, size, time of modification and inode. Nil if that is unknown.
    public var runsWithKnownFiles: [RunID]?

    /// The job that confirmed the last archive.
    public var jobID: JobID?
    /// What the clocks showed when that was.
    public var clock: ClockReading?
    /// A jump of the clock since, for which the operator has not vouched.
    public var clockJump: ClockJump?
    /// The archives that count as the job's because the operator says so, by id.
    public var acceptedArchives: [String]?

    /// The repository that received the last archive, as Borg tells it from others.
    public var repository: KnownRepository?
    /// Borg's files cache as that archive left it, and where the staging area was; nil if Borg must not believe any.
    public var filesCache: FilesCache?
    public var stagingPlace: String?

    /// Where the repository was when an archive was confirmed last.
    public var location: String?
    /// The borg that confirmed it.
    public var borg: KnownBorg?
    /// The file that the repository's key was exported to, and the id of that repository. That is nil from Muster 0.1.0.
    public var exportedKey: String?
    public var exportedKeyOf: String?

    public init() {}

    /// What a staging area has noted; empty if that is nothing. Throws if it cannot be understood.
    public init(of repository: String, in area: StagingArea?) async throws(StagingError) {
        guard let bytes = try await area?.repositoryRecord(of: repository) else { return }
        do {
            self = try SnakeCaseJSON.decode(RepositoryLedger.self, from: bytes)
        } catch {
            throw StagingError(
                .damagedRecord, "the record of repository '\(repository)' in \(area?.root ?? "") cannot be understood",
                hint:
                    "A newer Muster may have written it. Without it no archive counts as confirmed: move it away only if you know that.",
                underlying: error)
        }
    }

    public enum Standing: String, Sendable, Codable {
        /// Shown to hold its set when it was made.
        case confirmed
        /// Begun here and not confirmed, nor could it be deleted. Not to be trusted.
        case unconfirmed
        /// Nothing is noted: it was made elsewhere, or the note is lost.
        case unknown
    }

    public func standing(of archive: Archive) -> Standing {
        if confirmed.contains(where: { $0.id == archive.id }) { return .confirmed }
        return begun.contains { $0.archive == archive.name } ? .unconfirmed : .unknown
    }

    /// Whether Borg may skip files that it knows: if none of their inodes was free since.
    ///
    /// - Parameter kept: the runs whose sets are still in the staging area.
    public func mayKnowFiles(keeping kept: [RunID]) -> Bool { runsWithKnownFiles?.allSatisfy(kept.contains) ?? false }

    public mutating func begin(_ archive: BegunArchive) {
        drop(archive)
        // From its checkpoints Borg knows them even if there is never an archive.
        runsWithKnownFiles?.append(archive.provenance.runID)
        begun.append(Begun(archive: archive.name, comment: archive.provenance.comment, beganAt: .now))
    }

    /// Whether archives were confirmed in the repository at this location.
    public func knowsArchives(at location: String) -> Bool { self.location == location && !confirmed.isEmpty }

    /// - Parameters:
    ///   - number: greater than that of any archive that the job confirmed before.
    ///   - repository: that received it.
    public mutating func confirm(
        _ archive: Archive, of begun: BegunArchive, at location: String, number: Int,
        in repository: KnownRepository? = nil, clock now: ClockReading = .now
    ) {
        drop(begun)
        runsWithKnownFiles = [begun.provenance.runID]
        self.location = location
        self.repository = repository
        if exportedKey != nil, exportedKeyOf == nil { exportedKeyOf = repository?.id }
        jobID = begun.provenance.jobID
        notice(now)
        confirmed.append(
            Confirmed(
                archive: archive.name, id: archive.id, runID: begun.provenance.runID, confirmedAt: now.time,
                number: number, repositoryID: repository?.id, comment: begun.provenance.comment))
    }

    /// Drops what is noted of archives of a job that are no longer in the repository.
    public mutating func keepOnly(_ archives: [Archive], of owner: ArchiveOwner) {
        let (names, ids) = (Set(archives.map(\.name)), Set(archives.map(\.id)))
        begun.removeAll { owner.covers($0.archive) && !names.contains($0.archive) }
        let elsewhere = Set(confirmed.filter { !isHere($0) }.map(\.id))
        confirmed.removeAll { !elsewhere.contains($0.id) && owner.covers($0.archive) && !ids.contains($0.id) }
        acceptedArchives?.removeAll { !ids.contains($0) }
    }

    /// Whether an archive was confirmed in the repository of the last one. Two disks may take turns at its location.
    private func isHere(_ archive: Confirmed) -> Bool {
        archive.repositoryID == nil || repository == nil || archive.repositoryID == repository?.id
    }

    /// Notes a check that found no damage.
    public mutating func note(_ check: RepositoryCheck, at time: Timestamp) {
        lastCheckAt = time
        if check == .data { lastDataVerificationAt = time }
    }

    public mutating func drop(_ archive: BegunArchive) { begun.removeAll { $0.archive == archive.name } }
}

extension RepositoryLedger.Begun {
    /// Nil if Muster did not write the comment; only Muster writes here.
    public var begunArchive: BegunArchive? {
        Provenance(comment: comment).map { BegunArchive(name: archive, provenance: $0) }
    }
}
