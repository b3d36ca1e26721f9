import Borg
import DumpCore
import Jobs
import Logging
import Settings

extension ArchiveCatalog {
    /// Stands for the newest confirmed archive of the job; without a job, for the newest archive there is.
    public static let latest = "latest"

    /// The archives that `text` means, which all hold one set: at least one, the most trustworthy first.
    ///
    /// - Parameter text: `latest`, an archive's name, the id of a run, or how one of them begins. Archives of other jobs and hosts are
    ///   found as well.
    /// - Throws: for the operator only. A repository that fails is no obstacle as long as another has the archive.
    public func find(_ text: String) async throws -> [CatalogedArchive] {
        let found = text == Self.latest ? try await newest() : try await named(text)
        for archive in found.prefix(1) where archive.standing == .unconfirmed {
            log.warning(
                "this archive was never confirmed: do not trust it",
                metadata: ["archive": "\(archive.archive.name)", "repository": "\(archive.repository.name)"])
        }
        return found
    }

    private func named(_ text: String) async throws -> [CatalogedArchive] {
        let listings = await ask { repository in
            let named = try await repository.archives(beginningWith: text)
            guard named.isEmpty, RunID.canBegin(with: text) else { return named }
            return try await repository.archives().filter { $0.provenance?.runID.description.hasPrefix(text) ?? false }
        }
        let found = listings.flatMap(\.archives)
        try accept(listings.failure, unless: found.isEmpty)
        guard !found.isEmpty else { throw await missing(text) }
        return try ofOneSet(found, text)
    }

    private func missing(_ text: String) async -> ArchiveError {
        let names = await ask { try await $0.archives() }.flatMap(\.archives).map(\.archive.name)
        let near = nearestWord(to: text, among: names + [Self.latest]).map { "Did you mean '\($0)'? " } ?? ""
        let all = repositories.map(\.name).joined(separator: ", ")
        guard let job else {
            return ArchiveError(
                .missing, "repository '\(all)' has no archive '\(text)'",
                hint: near + "To see them: muster list --repository-location '\(all)'.")
        }
        let isJob = text == job.name ? "'\(text)' is the job: name it with --job. " : ""
        return ArchiveError(
            .missing, "no repository of job '\(job.name)' has an archive '\(text)'",
            hint: isJob + near
                + "To see them: muster list. To see those of other jobs and hosts too: muster list --all.",
            context: ["repositories": all])
    }

    /// A whole name or run id means more than the start of one.
    private func ofOneSet(_ found: [CatalogedArchive], _ text: String) throws(ArchiveError) -> [CatalogedArchive] {
        let exact = found.filter { $0.archive.name == text || $0.archive.provenance?.runID.description == text }
        let meant = exact.isEmpty ? found : exact
        guard Set(meant.map(\.archive.setName)).count == 1 else {
            throw ArchiveError(
                .ambiguous, "'\(text)' means more than one archive", hint: "Give more of its name.",
                context: ["archives": Set(meant.map(\.archive.name)).sorted().joined(separator: "\n")])
        }
        return mostTrustworthyFirst(meant)
    }

    /// Orders the archives of one set. Equals keep the order of the job file; within one repository, the last one archived comes first.
    private func mostTrustworthyFirst(_ archives: [CatalogedArchive]) -> [CatalogedArchive] {
        let places = Dictionary(
            repositories.enumerated().map { ($0.element.name, $0.offset) }, uniquingKeysWith: { first, _ in first })
        // Each repository lists its archives oldest first.
        return archives.enumerated().sorted { one, other in
            let ranks = [one, other].map { ($0.element.standing.rank, places[$0.element.repository.name] ?? 0) }
            guard ranks[0] == ranks[1] else { return ranks[0] < ranks[1] }
            if other.element.wasConfirmed(before: one.element) { return true }
            return !one.element.wasConfirmed(before: other.element) && one.offset > other.offset
        }
        .map(\.element)
    }

    private func newest() async throws -> [CatalogedArchive] {
        guard let job else { return try await newestOfOnlySeries() }
        return try await newestConfirmed(of: job)
    }

    private func newestConfirmed(of job: ReadyJob) async throws -> [CatalogedArchive] {
        let owner = await owner()
        let listings = await ask { repository in
            guard let owner else { return try await repository.archives() }
            return try await repository.archives(namedAs: owner)
        }
        let archives = listings.flatMap(\.archives)
        let confirmed = archives.filter { $0.standing == .confirmed }
        try accept(listings.failure, unless: confirmed.isEmpty)
        guard let newest = confirmed.max(by: { $0.wasConfirmed(before: $1) }) else {
            throw nothingConfirmed(of: job, archives.max { $0.archive.isOlder(than: $1.archive) })
        }
        tell(ofNewer: archives, than: newest, owner)
        return mostTrustworthyFirst(confirmed.filter { $0.archive.setName == newest.archive.setName })
    }

    /// A host that was restored from an image does not know what it archived since.
    private func tell(ofNewer archives: [CatalogedArchive], than latest: CatalogedArchive, _ owner: ArchiveOwner?) {
        guard let owner else { return }
        let newer = archives.filter {
            $0.standing == .unknown && owner.owns($0.archive) && latest.archive.isOlder(than: $0.archive)
        }
        guard let newest = newer.max(by: { $0.archive.isOlder(than: $1.archive) }) else { return }
        log.warning(
            "this job has newer archives, which this host did not confirm: name one to read it",
            metadata: [
                "newest": "\(newest.archive.name)", "repository": "\(newest.repository.name)",
                "count": "\(newer.count)",
                "latest": "\(latest.archive.name)",
            ])
    }

    private func nothingConfirmed(of job: ReadyJob, _ newest: CatalogedArchive?) -> ArchiveError {
        let hint =
            if let newest {
                "The newest is '\(newest.archive.name)' (\(newest.standing.text)): name it to read it anyway."
            } else {
                "It has none in its repositories. To see those of other jobs and hosts: muster list --all."
            }
        return ArchiveError(
            .nothingConfirmed, "job '\(job.name)' has no archive that this host, '\(job.hostName)', has confirmed",
            hint: hint)
    }

    /// An answer is taken although a repository gave none; without an answer that is the error.
    private func accept(_ failure: (any OperatorError)?, unless nothingFound: Bool) throws {
        guard let failure else { return }
        guard !nothingFound else { throw failure }
        log.warning("not every repository could be asked", metadata: ["why": "\(failure.message)"])
    }
}

extension CatalogedArchive {
    /// Whatever their dates say. False if one of them was not confirmed.
    fileprivate func wasConfirmed(before other: CatalogedArchive) -> Bool {
        guard let own = confirmation, let others = other.confirmation else { return false }
        return own < others
    }
}

extension Archive {
    /// Equal for archives of one set, wherever they are.
    fileprivate var setName: String { provenance.map { "\($0.runID) \($0.manifestSHA256)" } ?? id }
}

extension RepositoryLedger.Standing {
    fileprivate var rank: Int {
        switch self {
        case .confirmed: 0
        case .unknown: 1
        case .unconfirmed: 2
        }
    }

    /// For people.
    public var text: String {
        switch self {
        case .confirmed: "confirmed"
        case .unconfirmed: "NOT CONFIRMED, do not trust"
        case .unknown: "unknown"
        }
    }
}

extension RunID {
    /// Whether a run id may begin so: with a day.
    fileprivate static func canBegin(with text: String) -> Bool {
        text.allSatisfy { $0.isASCII && ($0.isHexDigit || "TZ-".contains($0)) } && text.first?.isNumber == true
    }
}
