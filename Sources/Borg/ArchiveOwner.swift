import DumpCore

/// A job, as the one whose archives some are.
///
/// Its id decides, which is in the comment of each archive. Archives made before there were ids are recognized by the names of host
/// and job.
public struct ArchiveOwner: Sendable, Hashable {
    /// Nil if it is not known, as on a host without the job's staging area: the names alone decide then.
    public var id: JobID?
    /// What it has been called, at least one; the present name last.
    public var names: [ArchiveSeries]

    public init(id: JobID? = nil, names: [ArchiveSeries]) {
        self.id = id
        self.names = names
    }

    /// Whether Muster made the archive for this job, under the name that it still has.
    public func owns(_ archive: Archive) -> Bool {
        guard let provenance = archive.provenance, provenance.series.covers(archive.name) else { return false }
        return began(provenance)
    }

    /// Whether the archive is the job's, or one that a job of the same name made on a host of the same name.
    func mayOwn(_ archive: Archive) -> Bool {
        guard let series = archive.provenance?.series, series.covers(archive.name) else { return false }
        return owns(archive) || names.contains(series)
    }

    /// Whether it is the job that a comment tells of.
    func began(_ provenance: Provenance) -> Bool {
        if let id, let made = provenance.jobID { return made == id }
        return names.contains(provenance.series)
    }

    /// Whether an archive of the job may be called so.
    public func covers(_ name: String) -> Bool { names.contains { $0.covers(name) } }

    /// Whether `name` is that of a checkpoint of an archive that may be the job's.
    func coversCheckpoint(_ name: String) -> Bool { names.contains { $0.coversCheckpoint(name) } }

    /// What `borg --glob-archives` takes for all names of the job; nil if one pattern does not do.
    var glob: String? { names.count == 1 ? names[0].glob : nil }
}
