import Borg
import DumpCore
import Jobs
import Logging
import Reporting
import Staging
import SystemPackage

/// The archives of a job, over its repositories, and what this host knows about each. On a host without a job, the archives of one
/// repository.
///
/// Only reads. If the staging area is lost, or is another host's, every archive counts as unknown and can still be read.
public struct ArchiveCatalog: Sendable {
    /// Nil where a repository alone was named.
    let job: ReadyJob?
    let repositories: [Source]
    let log: Logger

    /// A repository that is opened when it is asked.
    struct Source: Sendable {
        let name: String
        private let opening: OnceOpened

        /// - Parameter open: throws errors for the operator only.
        init(name: String, open: @escaping @Sendable () async throws -> BorgRepository) {
            self.name = name
            opening = OnceOpened(open)
        }

        func open() async throws -> BorgRepository { try await opening.repository() }
    }

    public init(of job: ReadyJob, log: Logger) {
        self.job = job
        repositories = job.repositories.map { repository in
            Source(name: repository.name) { try await job.open(repository) }
        }
        self.log = log
    }

    /// All archives of a repository, including those of other jobs and hosts. This host has no record of them.
    public init(of repository: BorgRepository, log: Logger) {
        job = nil
        repositories = [Source(name: repository.name) { repository }]
        self.log = log
    }

    /// The job's; nil where there is none.
    public var staging: FilePath? { job?.staging }
}

/// An archive, where it is, and what this host knows about it.
public struct CatalogedArchive: Sendable {
    /// Where it is.
    public var repository: BorgRepository
    public var archive: Archive
    public var standing: RepositoryLedger.Standing
    /// When this host confirmed it, if it has.
    var confirmation: RepositoryLedger.Confirmed?
}

/// What one repository of a job holds.
public struct RepositoryListing: Sendable {
    public var repository: String
    /// Oldest first.
    public var archives: [CatalogedArchive]
    /// How many more are in it, of other jobs and hosts. Nil unless that was asked.
    public var hidden: Int?
    /// Why there are none to be shown.
    public var error: (any OperatorError)?
}

extension ArchiveCatalog {
    /// The archives of the job, or all there are, repository by repository in the order of the job file. One that fails hides no other.
    public func listings(all: Bool) async -> [RepositoryListing] {
        guard !all, let owner = await owner() else { return await ask { try await $0.archives() } }
        return await ask(countingAll: true) { repository in try await repository.archives(namedAs: owner) }
    }

    /// The job, by the record in its staging area. One that cannot be read leaves the job's names. Nil without a job.
    func owner() async -> ArchiveOwner? {
        guard let job else { return nil }
        do {
            return ArchiveOwner(job, try await StagingArea.openExisting(job.staging)?.jobRecord())
        } catch {
            log.warning(
                "the staging area does not record the job's identity: its archives are recognized by their names alone",
                metadata: ["why": "\(error.message)"])
            return ArchiveOwner(job, nil)
        }
    }

    /// Asks all repositories at once.
    ///
    /// - Parameter countsAll: those too that are no answer.
    func ask(
        countingAll countsAll: Bool = false,
        _ question: @escaping @Sendable (BorgRepository) async throws -> [Archive]
    ) async -> [RepositoryListing] {
        await withTaskGroup(of: (Int, RepositoryListing).self) { group in
            for (place, repository) in repositories.enumerated() {
                group.addTask { (place, await listing(of: repository, countingAll: countsAll, question)) }
            }
            var listings: [Int: RepositoryListing] = [:]
            for await (place, listing) in group { listings[place] = listing }
            return listings.sorted { $0.key < $1.key }.map(\.value)
        }
    }

    private func listing(
        of repository: Source, countingAll countsAll: Bool,
        _ question: @Sendable (BorgRepository) async throws -> [Archive]
    ) async -> RepositoryListing {
        do {
            let borg = try await repository.open()
            await borg.recall(knownBorg(of: repository.name))
            let archives = try await question(borg)
            let count = countsAll ? try await borg.archiveCount() : archives.count
            // After the archives: what a run begins or confirms meanwhile is noted by then.
            let ledger = await ledger(of: repository.name)
            return RepositoryListing(
                repository: repository.name,
                archives: archives.map {
                    CatalogedArchive(
                        repository: borg, archive: $0, standing: ledger.standing(of: $0),
                        confirmation: ledger.confirmation(of: $0))
                }, hidden: countsAll ? max(0, count - archives.count) : nil)
        } catch {
            return RepositoryListing(
                repository: repository.name, archives: [], error: error.forOperator)
        }
    }

    /// Only what saves Borg a start: what cannot be read is reported when it is needed.
    func knownBorg(of repository: String) async -> KnownBorg? { await notes(of: repository)?.borg }

    /// Nil where this host has no notes, or none that can be read.
    func notes(of repository: String) async -> RepositoryLedger? {
        guard let staging, let area = try? await StagingArea.openExisting(staging) else { return nil }
        return try? await RepositoryLedger(of: repository, in: area)
    }

    /// Without its notes a host confirms nothing, but it can still read.
    private func ledger(of repository: String) async -> RepositoryLedger {
        guard let staging else { return RepositoryLedger() }
        do {
            return try await RepositoryLedger(of: repository, in: StagingArea.openExisting(staging))
        } catch {
            log.warning(
                "what this host knows of the repository's archives cannot be read: none of them counts as confirmed",
                metadata: ["repository": "\(repository)", "why": "\(error.message)"])
            return RepositoryLedger()
        }
    }
}

extension [RepositoryListing] {
    /// What went wrong, if anything did.
    public var failure: (any OperatorError)? {
        let failures = compactMap { listing in listing.error.map { (name: listing.repository, error: $0) } }
        return failures.isEmpty ? nil : CombinedError("repositories", failures)
    }
}
