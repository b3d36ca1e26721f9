import DumpCore

/// What a repository holds of one job and under its names, each newest first.
public struct Holdings: Sendable {
    public var owner: ArchiveOwner
    /// The job's own.
    public var archives: [Archive] = []
    /// What a creation that was cut off has left: a part of a set, which must not be taken for an archive.
    public var checkpoints: [Archive] = []
    /// Archives under the job's names that another made: by hand, or another job whose names are the same or alike.
    public var strangers: [Archive] = []

    /// Checkpoints that are of no more use. The newest saves its data from being sent again, until there is a newer archive.
    public var staleCheckpoints: [Archive] {
        checkpoints.filter { checkpoint in archives.contains { $0.start > checkpoint.start } }
    }
}

extension BorgRepository {
    /// What the repository holds of a job. Changes nothing, and waits for no other reader.
    public func holdings(of owner: ArchiveOwner) async throws(BorgError) -> Holdings {
        var holdings = Holdings(owner: owner)
        for archive in try await archives(matching: owner.glob.map { $0 + "*" }, withCheckpoints: true).reversed() {
            if owner.owns(archive) {
                holdings.archives.append(archive)
            } else if owner.covers(archive.name) {
                holdings.strangers.append(archive)
            } else if owner.coversCheckpoint(archive.name), archive.provenance.map(owner.began) ?? false {
                holdings.checkpoints.append(archive)
            }
        }
        return holdings
    }

    /// Deletes exactly these archives, all or as many as could be when it throws.
    public func delete(_ archives: [Archive], lockWait: Duration? = nil) async throws(BorgError) {
        let version = try await version()
        for arguments in version.deletions(of: archives) {
            let outcome = try await run(arguments, lockWait: lockWait)
            // Borg 1.2 only warns of an archive that is not there; Borg 2 warns after every deletion that space is not free yet.
            let isClean = version.isSecond || outcome.messages.warnings.isEmpty
            guard outcome.status == .exited(0), isClean else { throw failure(outcome, "delete") }
        }
    }
}

extension ArchiveSeries {
    /// Whether `name` is that of a checkpoint of one of this series: `NAME.checkpoint`, `NAME.checkpoint.1`.
    func coversCheckpoint(_ name: String) -> Bool {
        guard let ending = name.firstMatch(of: /\.checkpoint(\.[0-9]+)?$/) else { return false }
        return covers(String(name[..<ending.range.lowerBound]))
    }
}
